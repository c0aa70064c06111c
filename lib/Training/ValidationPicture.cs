using System.Globalization;

namespace Dreambooth.Lab.Training;

/// <summary>A validation picture of a run, as it lies in the output folder: <c>validation/step_00130/img_00.png</c>.</summary>
/// <param name="Step">Optimizer steps done when it was generated; 0 for the model as it was.</param>
/// <param name="Index">Which of the pictures; the same index has the same noise at every step.</param>
/// <param name="Path">The file.</param>
public sealed record ValidationPicture(int Step, int Index, string Path)
{
    /// <summary>The folder of all of them in the output folder.</summary>
    internal const string Folder = "validation";

    private const string StepPrefix = "step_";
    private const string ImagePrefix = "img_";

    /// <summary>What the names of pictures without the identifier begin with, which <see cref="List(string)"/> leaves out.</summary>
    internal const string WithoutPrefix = "without_";

    /// <summary>All of a run, by step and index.</summary>
    /// <param name="outputDir">The run's output folder.</param>
    /// <returns>Empty when there are none.</returns>
    public static IReadOnlyList<ValidationPicture> List(string outputDir) => List(outputDir, ImagePrefix);

    /// <summary>Those whose names begin in a certain way.</summary>
    internal static IReadOnlyList<ValidationPicture> List(string outputDir, string prefix)
    {
        ArgumentException.ThrowIfNullOrEmpty(outputDir);
        var folder = System.IO.Path.Combine(outputDir, Folder);
        if (!Directory.Exists(folder))
            return [];
        return
        [
            .. from path in Directory.GetFiles(folder, $"{prefix}*.png", SearchOption.AllDirectories)
               let step = Number(System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(path)!), StepPrefix)
               let index = Number(System.IO.Path.GetFileNameWithoutExtension(path), prefix)
               where step is not null && index is not null
               orderby step, index
               select new ValidationPicture(step.Value, index.Value, path),
        ];
    }

    /// <summary>Where a picture lies.</summary>
    internal static string PathOf(string outputDir, int step, int index, string prefix = ImagePrefix) => System.IO.Path.Combine(
        outputDir, Folder, string.Create(CultureInfo.InvariantCulture, $"{StepPrefix}{step:00000}"),
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{index:00}.png"));

    /// <summary>Deletes those of an earlier run, so that a new one shows only its own.</summary>
    internal static void Clear(string outputDir)
    {
        foreach (var picture in List(outputDir).Concat(List(outputDir, WithoutPrefix)))
            File.Delete(picture.Path);
    }

    private static int? Number(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
