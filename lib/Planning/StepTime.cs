using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>How long an optimizer step takes, where that was measured.</summary>
/// <param name="Seconds">Of a step.</param>
/// <param name="Source">Where it was measured.</param>
internal sealed record StepTime(double Seconds, string Source)
{
    private const int MostRuns = 200;
    private const int LastSteps = 200;

    // Medians of tests/benchmarks/results for a micro-batch of two rows: Stable Diffusion 3.5-medium in bf16, 512 pixels, rank 4.
    private static readonly (string Gpu, bool TextEncoders, double Milliseconds)[] Measured =
        [("H100", false, 32.7), ("H100", true, 183.0 / 4), ("H200", false, 31.0), ("H200", true, 178.0 / 4)];

    // What decides how long a step takes.
    private static readonly Func<DreamBoothConfig, object?>[] Deciding =
    [
        config => Path.GetFileName(Path.TrimEndingDirectorySeparator(config.PretrainedModelNameOrPath)), config => config.Resolution,
        config => config.AspectBuckets ? config.BucketStep : 0, config => string.Join(',', config.Resolutions.Order()),
        config => config.TrainBatchSize, config => config.GradientAccumulationSteps, config => config.UsesClassPictures,
        config => config.PreservedPrompts.Count, config => config.MaskedPriorWeight > 0, config => config.AugmentEachEpoch,
        config => config.CaptionDropout > 0,
        config => config.TrainTextEncoder, config => config.MixedPrecision, config => config.MaxSequenceLength, config => config.Rank,
        config => config.RankPattern, config => config.LoraVariant, config => config.LoraDropout, config => config.LoraBias,
        config => config.LoraLayers, config => config.LoraBlocks, config => config.GradientCheckpointing, config => config.CudaGraph,
        config => config.Device, config => config.OptimizerMemory,
    ];

    /// <summary>
    /// Looks for it: in the output folder and the folders beside it, the newest run whose settings take as long; else among the lab's own
    /// measurements.
    /// </summary>
    /// <param name="config">The training.</param>
    /// <returns>Null where nothing is known.</returns>
    public static StepTime? Find(DreamBoothConfig config) => OfEarlierRun(config) ?? OfMeasurement(config);

    private static StepTime? OfEarlierRun(DreamBoothConfig config)
    {
        var own = Path.TrimEndingDirectorySeparator(Path.GetFullPath(config.OutputDir));
        var beside = Path.GetDirectoryName(own);
        if (beside is null || !Directory.Exists(beside))
            return null;
        var logs = Directory.EnumerateDirectories(beside).Take(MostRuns)
            .Select(folder => new FileInfo(Path.Combine(folder, StepLog.FileName))).Where(log => log.Exists && log.Length > 0)
            .OrderByDescending(log => log.DirectoryName == own).ThenByDescending(log => log.LastWriteTimeUtc);
        return logs.Select(log => OfRun(config, log.DirectoryName!)).FirstOrDefault(time => time is not null);
    }

    private static StepTime? OfRun(DreamBoothConfig config, string folder)
    {
        try
        {
            var earlier = DreamBoothConfig.Read(Path.Combine(folder, DreamBoothConfig.RecipeName), _ => { });
            if (!Deciding.All(value => Equals(value(earlier), value(config))))
                return null;
            // The first steps warm up.
            var seconds = StepLog.Read(folder).Skip(1).TakeLast(LastSteps).Select(record => record.Seconds).Where(double.IsFinite)
                .Order().ToArray();
            if (seconds.Length == 0)
                return null;
            // Steps of several sizes take different times, so that a median tells little; each size's first warms up, which is left out.
            var varies = config.AspectBuckets || config.Resolutions.Count > 1;
            var kept = seconds[..^(varies ? seconds.Length / 20 : 0)];
            return new StepTime(
                varies ? kept.Average() : seconds[seconds.Length / 2], $"as measured in {ProjectFolder.Near(folder)}");
        }
        catch (Exception error) when (error is LabException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static StepTime? OfMeasurement(DreamBoothConfig config)
    {
        var rows = config.TrainBatchSize * (config.UsesClassPictures ? 2 : 1);
        if (!ModelArchitecture.IsSd35Medium(Path.TrimEndingDirectorySeparator(config.PretrainedModelNameOrPath)) || rows != 2
            || config.Resolution != 512 || config.AspectBuckets || config.Resolutions.Count > 1
            || config.MixedPrecision != MixedPrecision.Bf16 || config.GradientCheckpointing
            || config.PreservedPrompts.Count > 0 || config.MaskedPriorWeight > 0 || config.AugmentEachEpoch || !config.CudaGraph
            || config.LoraVariant != LoraVariant.Lora || config.LoraDropout != 0 || config.LoraBias)
            return null;
        var name = GpuMemory.Read(DeviceSelection.Parse(config.Device))?.Name;
        var row = Measured.FirstOrDefault(row =>
            name?.Contains(row.Gpu, StringComparison.Ordinal) == true && row.TextEncoders == config.TrainTextEncoder);
        return row.Gpu is null ? null
            : new StepTime(row.Milliseconds * config.GradientAccumulationSteps / 1000, $"as measured on an {row.Gpu} with rank 4");
    }

    /// <summary>A run's steps, in words.</summary>
    /// <param name="time">A step's time; null: not known.</param>
    /// <param name="steps">Steps of the run.</param>
    public static string Describe(StepTime? time, int steps) => time is null
        ? "unknown: no run of these settings in the folders beside output_dir, and none that was measured for this device"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"about {Duration(steps * time.Seconds)} for {steps} steps of {time.Seconds:0.###} s, {time.Source}; class and validation "
            + $"pictures come on top");

    private static string Duration(double seconds) => seconds switch
    {
        < 100 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 6000 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.#} h"),
    };
}
