namespace Dreambooth.Lab.Training;

/// <summary>A range of the flat parameters with its own learning rate and weight decay.</summary>
/// <param name="Offset">First element.</param>
/// <param name="Length">Number of elements.</param>
/// <param name="LearningRate">The rate before the schedule's factor, from 0. <c>--learning_rate</c>, <c>--text_encoder_lr</c>.</param>
/// <param name="WeightDecay">Weight decay, from 0; decoupled: the rate times this is what a weight loses of itself per step.
/// <c>--adam_weight_decay</c>, <c>--adam_weight_decay_text_encoder</c>.</param>
public sealed record ParameterGroup(long Offset, long Length, double LearningRate, double WeightDecay = 0)
{
    /// <summary>
    /// The shapes of the tensors that lie in the range, one behind the other; empty (the default): one tensor of rank 1. They matter to
    /// Adafactor, to moments of 8 bits and to Prodigy's slices.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<long>> Shapes { get; init; } = [];

    /// <summary>The tensors of the range, each with its first element in the flat buffer.</summary>
    internal IEnumerable<(long Offset, IReadOnlyList<long> Shape)> Tensors
    {
        get
        {
            var offset = Offset;
            foreach (var shape in Shapes.Count > 0 ? Shapes : [[Length]])
            {
                yield return (offset, shape);
                offset += Count(shape);
            }
        }
    }

    /// <summary>The elements of a tensor.</summary>
    internal static long Count(IReadOnlyList<long> shape) => shape.Aggregate(1L, (product, side) => product * side);
}
