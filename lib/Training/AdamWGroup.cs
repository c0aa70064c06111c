namespace Dreambooth.Lab.Training;

/// <summary>A range of the flat parameters with its own learning rate and weight decay.</summary>
/// <param name="Offset">First element.</param>
/// <param name="Length">Number of elements.</param>
/// <param name="LearningRate">The rate before the schedule's factor, from 0. <c>--learning_rate</c>, <c>--text_encoder_lr</c>.</param>
/// <param name="WeightDecay">Decoupled weight decay, from 0; the rate times this is what a weight loses of itself per step.
/// <c>--adam_weight_decay</c>, <c>--adam_weight_decay_text_encoder</c>.</param>
public sealed record AdamWGroup(long Offset, long Length, double LearningRate, double WeightDecay = 0);
