using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>The LoRA files that a training leaves: those of its <c>checkpoint-N</c> folders, and the one at its end.</summary>
public static class LoraCheckpoints
{
    /// <summary>What a checkpoint folder's name begins with; the number of steps follows.</summary>
    public const string Prefix = "checkpoint-";

    /// <summary>What <see cref="Name"/> calls the LoRA at the end of a training.</summary>
    public const string Final = "final";

    /// <summary>The checkpoint folders of a training.</summary>
    /// <param name="run">Its output folder; may be missing.</param>
    /// <returns>Steps done and folder, by step; empty when there are none.</returns>
    public static IReadOnlyList<(int Step, string Folder)> List(string run)
    {
        ArgumentException.ThrowIfNullOrEmpty(run);
        if (!Directory.Exists(run))
            return [];
        return [.. from folder in Directory.GetDirectories(run,
            Prefix + "*") let step = StepOf(folder) where step is not null orderby step select (step.Value, folder)];
    }

    /// <summary>The steps that a checkpoint folder's name tells.</summary>
    /// <param name="folder">A path.</param>
    /// <returns>Null for any other name.</returns>
    public static int? StepOf(string folder)
    {
        var name = Path.GetFileName(folder);
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            ? step
            : null;
    }

    /// <summary>
    /// A few stages of a training, as LoRA paths: checkpoints evenly spread from the first on, and the LoRA at the end. A checkpoint that
    /// holds that LoRA is left out.
    /// </summary>
    /// <param name="run">The training's output folder.</param>
    /// <param name="most">How many at most, 1 or more; the end counts.</param>
    /// <exception cref="Foundation.LabException">The folder has no LoRA at the end.</exception>
    public static IReadOnlyList<string> Stages(string run, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        var end = LoraFile.Resolve(run);
        string[] before = [.. List(run).Select(checkpoint => checkpoint.Folder)
            .Where(folder => Path.Combine(folder, LoraFile.DefaultName) is var file && File.Exists(file) && !AreSame(file, end))];
        var wanted = Math.Min(most - 1, before.Length);
        return [.. Enumerable.Range(0, wanted).Select(i => before[i * before.Length / wanted]), run];
    }

    private static bool AreSame(string first, string second) =>
        new FileInfo(first).Length == new FileInfo(second).Length && FileHash.Sha256(first) == FileHash.Sha256(second);

    /// <summary>What a stage is called: <c>step 130</c>, or <c>final</c>.</summary>
    /// <param name="path">One of <see cref="Stages"/>.</param>
    public static string Name(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return StepOf(path) is { } step ? string.Create(CultureInfo.InvariantCulture, $"step {step}") : Final;
    }
}
