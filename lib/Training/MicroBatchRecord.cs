namespace Dreambooth.Lab.Training;

/// <summary>The losses of one micro-batch. Reading them waits for the device.</summary>
/// <param name="Number">Number of the micro-batch in the run, from 0.</param>
/// <param name="Loss">What was minimised, not divided by the accumulation.</param>
/// <param name="InstanceLoss">Loss of the instance pictures.</param>
/// <param name="PriorLoss">Loss of the class pictures, or null.</param>
public sealed record MicroBatchRecord(long Number, double Loss, double InstanceLoss, double? PriorLoss);
