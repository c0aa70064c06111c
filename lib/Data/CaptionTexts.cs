using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>The text files beside pictures, <c>NAME.txt</c> or <c>NAME.caption</c> for <c>NAME.jpg</c>; the ending in any case.</summary>
internal sealed class CaptionTexts
{
    private static readonly string[] Endings = [".txt", ".caption"];

    private readonly Dictionary<string, ILookup<string, string>> _byFolder = new(StringComparer.Ordinal);

    /// <summary>Whether a file's name is that of a caption.</summary>
    public static bool IsCaption(string file) => Endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase);

    /// <summary>The text file of a picture; null when there is none.</summary>
    /// <param name="picture">The picture's file.</param>
    /// <exception cref="LabException">It has two.</exception>
    public string? FileOf(string picture)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(picture))!;
        if (!_byFolder.TryGetValue(folder, out var texts))
        {
            var files = Directory.GetFiles(folder).Where(IsCaption);
            _byFolder[folder] = texts = files.ToLookup(file => Path.GetFileNameWithoutExtension(file), StringComparer.Ordinal);
        }

        string[] found = [.. texts[Path.GetFileNameWithoutExtension(picture)].Order(StringComparer.Ordinal)];
        return found.Length < 2 ? found.FirstOrDefault() : throw new LabException(
            $"{picture} has {found.Length} caption files, {ShownText.Names([.. found.Select(file => Path.GetFileName(file))])}; keep one.");
    }
}
