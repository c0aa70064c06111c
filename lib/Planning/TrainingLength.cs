using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>How long a training is.</summary>
/// <param name="Items">Pictures of an epoch, repeats counted.</param>
/// <param name="StepsPerEpoch">Optimizer steps of an epoch.</param>
/// <param name="Steps">Optimizer steps of the run.</param>
/// <param name="MicroBatch">Instance pictures of a micro-batch; of several sizes, of the largest.</param>
/// <param name="Pictures">Instance pictures of a step, at most.</param>
/// <param name="ClassPictures">Class pictures of a step, at most.</param>
/// <param name="Sizes">Sizes of pictures: a micro-batch is of one, so that the last of each may be smaller.</param>
internal sealed record TrainingLength(
    int Items, int StepsPerEpoch, int Steps, int MicroBatch, long Pictures, long ClassPictures, int Sizes)
{
    /// <summary>Passes over the pictures; the last may not be whole.</summary>
    public double Epochs => (double)Steps / StepsPerEpoch;

    /// <summary>Counts.</summary>
    /// <param name="config">The training, with the micro-batches of all ranks together.</param>
    /// <param name="batches">The micro-batches of an epoch, repeats and class pictures counted.</param>
    /// <exception cref="Foundation.UsageException">The epochs have too many steps to count.</exception>
    public static TrainingLength Of(DreamBoothConfig config, BatchSampler batches)
    {
        var count = batches.BatchesPerEpoch;
        var step = (long)batches.LargestBatch * config.GradientAccumulationSteps;
        return new(
            batches.Count, ((count - 1) / config.GradientAccumulationSteps) + 1, DreamBoothTrainer.StepsOf(config, count),
            batches.LargestBatch, step, config.UsesClassPictures ? step : 0, batches.Groups);
    }

    /// <summary>In words.</summary>
    /// <param name="config">The training.</param>
    public string Describe(DreamBoothConfig config)
    {
        var ofClass = ClassPictures > 0 ? $" and {ClassPictures} class picture{(ClassPictures == 1 ? string.Empty : "s")}" : string.Empty;
        var parts = config.GradientAccumulationSteps == 1 ? string.Empty
            : $" in {config.GradientAccumulationSteps} micro-batches of {MicroBatch}";
        var ofSizes = Sizes == 1 ? string.Empty : $", each of one of {Sizes} sizes";
        var most = Sizes == 1 ? string.Empty : "up to ";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Steps} step{(Steps == 1 ? string.Empty : "s")}, {Epochs:0.#} epochs of {Items} pictures; a step has "
            + $"{most}{Pictures} instance picture{(Pictures == 1 ? string.Empty : "s")}{ofClass}{parts}{ofSizes}");
    }
}
