using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>Whether a training's files fit the disk, and whether its output folder is free for them.</summary>
internal static class DiskCheck
{
    private const string Subject = "disk";
    private const long PictureBytes = 3L << 20;
    private const long UnknownLora = 64L << 20;

    /// <summary>Makes the check.</summary>
    /// <param name="config">The training.</param>
    /// <param name="model">The model's sizes; null where they are not known.</param>
    /// <param name="steps">Optimizer steps of the run; null where they are not known.</param>
    public static PreflightCheck Of(DreamBoothConfig config, ModelArchitecture? model, int? steps)
    {
        if (Blocked(config) is { } objection)
            return new(Subject, PreflightStatus.Problem, objection);
        var folder = Path.GetFullPath(config.OutputDir);
        var existing = folder;
        while (!Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing)!;
        var (lora, state) = Sizes(config, model);
        var checkpoints = Math.Min((steps ?? 1000) / config.CheckpointingSteps, config.CheckpointsTotalLimit ?? int.MaxValue);
        var missing = config.PerClass().Sum(one => Math.Max(0, one.NumClassImages - ClassPictures(one)));
        var need = lora + (checkpoints * (lora + state)) + (missing * PictureBytes);
        var free = new DriveInfo(existing).AvailableFreeSpace;
        var (there, needed) = ByteSize.Pair(free, need);
        var (one, whole) = ByteSize.Pair(lora, lora + state);
        var of = $"the LoRA {one}, {checkpoints} checkpoint{(checkpoints == 1 ? string.Empty : "s")} of {whole}"
            + (missing > 0 ? $", {missing} class pictures" : string.Empty);
        if (free < need)
            return new(
                Subject, PreflightStatus.Problem,
                $"{there} are free at {ProjectFolder.Near(existing)}; up to {needed} may be written: {of}.");
        var isThere = config.ResumeFromCheckpoint is null && File.Exists(Path.Combine(folder, LoraFile.DefaultName));
        return new(
            Subject, isThere ? PreflightStatus.Warning : PreflightStatus.Ok,
            $"{there} are free, at most {needed} needed: {of}."
            + (isThere ? $" {ProjectFolder.Near(config.OutputDir)} holds a LoRA already, which will be replaced." : string.Empty));
    }

    private static string? Blocked(DreamBoothConfig config)
    {
        try
        {
            TrainingOutput.CheckFolders(config);
            return TrainingOutput.Refuses(config);
        }
        catch (LabException error)
        {
            return error.Message;
        }
    }

    // A checkpoint has the optimizer's state and weights that are kept beside the LoRA too.
    private static (long Lora, long State) Sizes(DreamBoothConfig config, ModelArchitecture? model)
    {
        if (model is null)
            return (UnknownLora, 2 * UnknownLora);
        var (planner, settings) = (new MemoryPlanner(model), MemorySettings.Of(config, pictures: 0));
        var lora = sizeof(float) * planner.TrainedNumbers(settings);
        return (lora, config.OptimizerMemory.StateBytes(planner.TrainedShapes(settings)) + (config.OptimizerMemory.Copies * lora));
    }

    private static int ClassPictures(DreamBoothConfig config) =>
        Directory.Exists(config.ClassDataDir) ? Directory.EnumerateFiles(config.ClassDataDir).Count() : 0;
}
