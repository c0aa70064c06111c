using System.Security.Cryptography;
using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Small pictures for a page, in <c>thumbnails/</c>. A thumbnail is named by the hash of its picture's file, so that it is made once. All
/// stand in <c>sheet.js</c> too: a page on a disk may show pictures but not read their pixels, which a contact sheet needs.
/// </summary>
internal static class SweepThumbnails
{
    /// <summary>The longer side in pixels; smaller pictures stay as they are.</summary>
    public const int Side = 320;

    private const string Script = "sheet.js";
    private const int Quality = 85;
    private const int Digits = 20;

    /// <summary>The name of a picture's thumbnail.</summary>
    /// <param name="content">The picture's file.</param>
    public static string NameOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..Digits] + ".jpg";

    /// <summary>Makes those that are missing and deletes those of pictures that are gone.</summary>
    /// <param name="folder">The page's folder.</param>
    /// <param name="pictures">Its pictures.</param>
    public static void Update(string folder, IReadOnlyList<SweepPagePicture> pictures)
    {
        var inner = Path.Combine(folder, PromptFolders.Thumbnails);
        Directory.CreateDirectory(inner);
        var wanted = pictures.DistinctBy(picture => picture.Thumbnail).ToDictionary(picture => picture.Thumbnail, StringComparer.Ordinal);
        var there = Directory.EnumerateFiles(inner, "*.jpg").Select(file => Path.GetFileName(file)).ToHashSet(StringComparer.Ordinal);
        string[] gone = [.. there.Where(name => IsName(name) && !wanted.ContainsKey(name))];
        SweepPagePicture[] missing = [.. wanted.Values.Where(picture => !there.Contains(picture.Thumbnail))];
        foreach (var name in gone)
            File.Delete(Path.Combine(inner, name));
        missing.AsParallel().ForAll(picture => ImageEncoder.Save(
            Path.Combine(inner, picture.Thumbnail), Shrink(ImageDecoder.Load(Path.Combine(folder, picture.Path))), Quality));
        var script = Path.Combine(inner, Script);
        if (gone.Length + missing.Length > 0 || !File.Exists(script))
            WriteScript(script, inner, wanted.Keys);
    }

    private static RgbImage Shrink(RgbImage image)
    {
        var longer = Math.Max(image.Width, image.Height);
        return longer <= Side ? image : ImageResizer.Resize(
            image, Math.Max(1, image.Width * Side / longer), Math.Max(1, image.Height * Side / longer), ResizeFilter.Lanczos);
    }

    private static void WriteScript(string script, string inner, IEnumerable<string> names) => AtomicFile.Write(script, stream =>
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
        writer.Write("window.labSheet = {\n");
        foreach (var name in names)
            writer.Write($"\"{name}\": \"{Convert.ToBase64String(File.ReadAllBytes(Path.Combine(inner, name)))}\",\n");
        writer.Write("};\n");
    });

    private static bool IsName(string name) => name.Length == Digits + 4 && name[..Digits].All(char.IsAsciiHexDigitLower);
}
