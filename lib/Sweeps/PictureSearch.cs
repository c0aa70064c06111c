using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <summary>Finds the model and the LoRA of a picture by what its record says of their contents.</summary>
/// <param name="options">How the model is loaded; which of its parts count depends on it.</param>
internal sealed class PictureSearch(PipelineOptions options)
{
    private const int Deep = 4;

    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, MaxRecursionDepth = Deep };

    /// <summary>Finds a model.</summary>
    /// <param name="record">The picture's.</param>
    /// <param name="places">Models, and folders with models in them.</param>
    /// <param name="isNamed">Whether a user named the places: a model among them is taken even where it is another.</param>
    /// <returns>Its folder or file, and whether it is the picture's own.</returns>
    /// <exception cref="LabException">There is none; the message tells name and fingerprint of what is missing.</exception>
    public (string Path, bool IsSame) Model(PictureRecord record, IReadOnlyList<string> places, bool isNamed)
    {
        var found = places.SelectMany(Models).Distinct(StringComparer.Ordinal).ToList();
        if (found.Find(model => record.ModelFingerprint is { } wanted && FingerprintOf(model) == wanted) is { } same)
            return (same, true);
        if (isNamed && places is [var place] && (File.Exists(place) || IsModel(place)))
            return (place, false);
        throw new LabException(
            $"The picture was made by the model {record.Model ?? "of unknown name"}, fingerprint {record.ModelFingerprint ?? "unknown"}. "
            + $"{Looked(found.Count, "model", places)} Name it, or a folder with it, by --model.");
    }

    /// <summary>Finds a LoRA.</summary>
    /// <param name="wanted">The picture's.</param>
    /// <param name="places">Files, and folders with files in them.</param>
    /// <returns>Its file; null where it is at none of the places.</returns>
    public static string? Lora(UsedLora wanted, IEnumerable<string> places) => Files(places).FirstOrDefault(file =>
        (wanted.Bytes < 0 || new FileInfo(file).Length == wanted.Bytes) && HashOf(file) == wanted.Sha256);

    /// <summary>Finds a picture.</summary>
    /// <param name="sha256">Of its file.</param>
    /// <param name="places">Files, and folders with files in them.</param>
    /// <returns>Its file; null where it is at none of the places.</returns>
    public static string? Picture(string sha256, IEnumerable<string> places) => places.SelectMany(place =>
        File.Exists(place) ? [place]
        : Directory.Exists(place) ? Directory.EnumerateFiles(place, "*", Below).Where(PictureName.Is).Order(StringComparer.Ordinal)
        : Enumerable.Empty<string>()).FirstOrDefault(file => PictureHashOf(file) == sha256);

    private static string? PictureHashOf(string file)
    {
        try
        {
            return SourcePictures.Hash(file);
        }
        catch (LabException)
        {
            return null;
        }
    }

    /// <summary>What is missing, and where it was looked for.</summary>
    /// <param name="wanted">The picture's.</param>
    /// <param name="places">Files, and folders with files in them.</param>
    public static LabException Missing(UsedLora wanted, IReadOnlyList<string> places) => new(
        $"The picture was made with the LoRA {wanted.Name}, SHA-256 {wanted.Sha256} (AutoV2 {wanted.AutoV2}"
        + $"{(wanted.Bytes < 0 ? string.Empty : $", {ByteSize.Text(wanted.Bytes)}")}). {Looked(Files(places).Count(), "file", places)} "
        + "Name it, or a folder with it, by --lora.");

    private static string Looked(int count, string what, IReadOnlyList<string> places) =>
        $"None of {count} {what}{(count == 1 ? string.Empty : "s")} in {ShownText.Names(places)} is that one.";

    private static IEnumerable<string> Files(IEnumerable<string> places) => places.SelectMany(place =>
        File.Exists(place) ? [place]
        : Directory.Exists(place) ? Directory.EnumerateFiles(place, "*.safetensors", Below).Order(StringComparer.Ordinal)
        : Enumerable.Empty<string>());

    private static IEnumerable<string> Models(string place)
    {
        if (File.Exists(place) || IsModel(place))
            return [place];
        return !Directory.Exists(place) ? []
            : Directory.EnumerateFiles(place, ModelIndex.FileName, Below).Select(file => Path.GetDirectoryName(file)!)
                .Order(StringComparer.Ordinal);
    }

    private static bool IsModel(string place) => File.Exists(Path.Combine(place, ModelIndex.FileName));

    // What is no whole model is not the one that is looked for.
    private string? FingerprintOf(string model)
    {
        try
        {
            return ModelOrigin.Of(model, options).Fingerprint;
        }
        catch (LabException)
        {
            return null;
        }
    }

    private static string? HashOf(string file)
    {
        try
        {
            return UsedLora.Of(file).Sha256;
        }
        catch (LabException)
        {
            return null;
        }
    }
}
