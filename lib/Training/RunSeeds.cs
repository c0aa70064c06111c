using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The seeds of everything that a training run draws: each depends on the run's seed, the purpose and a number alone, so that
/// two purposes never see the same noise and a resumed run draws what an uninterrupted one would have.
/// </summary>
internal static class RunSeeds
{
    private enum Purpose
    {
        TrainingDraw,
        Latents,
        ClassPicture,
        ValidationPicture,
        ValidationLoss,
        Dropout,
    }

    /// <summary>Noise and timesteps of a micro-batch.</summary>
    public static ulong TrainingDraw(ulong seed, long microBatch) => Of(seed, Purpose.TrainingDraw, (ulong)microBatch);

    /// <summary>Latents of a micro-batch, drawn from its pictures' moments.</summary>
    public static ulong Latents(ulong seed, long microBatch) => Of(seed, Purpose.Latents, (ulong)microBatch);

    /// <summary>Initial noise of a class picture, by its index.</summary>
    public static ulong ClassPicture(ulong seed, int index) => Of(seed, Purpose.ClassPicture, (ulong)index);

    /// <summary>Initial noise of a validation picture; the same at every validation, so that pictures of different steps compare.</summary>
    public static ulong ValidationPicture(ulong seed, int index) => Of(seed, Purpose.ValidationPicture, (ulong)index);

    /// <summary>Noise of the validation loss, by noise level.</summary>
    public static ulong ValidationLoss(ulong seed, int level) => Of(seed, Purpose.ValidationLoss, (ulong)level);

    /// <summary>Which inputs of the LoRA are left out.</summary>
    public static ulong Dropout(ulong seed) => Of(seed, Purpose.Dropout, 0);

    private static ulong Of(ulong seed, Purpose purpose, ulong index) => SplitMix64.At(SplitMix64.At(seed, (ulong)purpose), index);
}
