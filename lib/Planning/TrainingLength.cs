using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>How long a training is.</summary>
/// <param name="Items">Pictures of an epoch, repeats counted.</param>
/// <param name="StepsPerEpoch">Optimizer steps of an epoch.</param>
/// <param name="Steps">Optimizer steps of the run.</param>
/// <param name="Pictures">Instance pictures of a step.</param>
/// <param name="ClassPictures">Class pictures of a step.</param>
internal sealed record TrainingLength(int Items, int StepsPerEpoch, int Steps, long Pictures, long ClassPictures)
{
    /// <summary>Passes over the pictures; the last may not be whole.</summary>
    public double Epochs => (double)Steps / StepsPerEpoch;

    /// <summary>Counts.</summary>
    /// <param name="config">The training, with the micro-batches of all ranks together.</param>
    /// <param name="items">Pictures of an epoch, repeats and class pictures counted, 1 or more.</param>
    /// <exception cref="Foundation.UsageException">The epochs have too many steps to count.</exception>
    public static TrainingLength Of(DreamBoothConfig config, int items)
    {
        var batches = new BatchSampler(items, config.TrainBatchSize, 0).BatchesPerEpoch;
        var batch = (long)Math.Min(config.TrainBatchSize, items) * config.GradientAccumulationSteps;
        return new(
            items, ((batches - 1) / config.GradientAccumulationSteps) + 1, DreamBoothTrainer.StepsOf(config, batches), batch,
            config.UsesClassPictures ? batch : 0);
    }

    /// <summary>In words.</summary>
    /// <param name="config">The training.</param>
    public string Describe(DreamBoothConfig config)
    {
        var ofClass = ClassPictures > 0 ? $" and {ClassPictures} class picture{(ClassPictures == 1 ? string.Empty : "s")}" : string.Empty;
        var parts = config.GradientAccumulationSteps == 1 ? string.Empty
            : $" in {config.GradientAccumulationSteps} micro-batches of {Math.Min(config.TrainBatchSize, Items)}";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Steps} step{(Steps == 1 ? string.Empty : "s")}, {Epochs:0.#} epochs of {Items} pictures; a step has {Pictures} instance "
            + $"picture{(Pictures == 1 ? string.Empty : "s")}{ofClass}{parts}");
    }
}
