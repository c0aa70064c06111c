using System.Text;

namespace Dreambooth.Lab.Imaging;

/// <summary>Picture formats that are not read, recognised by content: what a file is and what converts it.</summary>
internal static class UnreadFormat
{
    private static readonly string[] Heic = ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"];
    private static readonly string[] Avif = ["avif", "avis"];

    /// <summary>Says what a file is and what converts it; null when it is in none of the known formats.</summary>
    /// <param name="file">Its first bytes, 64 or more where it has them.</param>
    /// <param name="name">The file's name, for the command.</param>
    public static string? Describe(ReadOnlySpan<byte> file, string name) => Name(file, name) switch
    {
        null => null,
        "video" => "a video, not a picture",
        var format => $"a picture in the {format} format, which is not read; convert it: "
            + $"{(format is "HEIC" or "AVIF" ? "heif-convert" : "magick")} \"{name}\" \"{Converted(name)}\"",
    };

    // There must be no second picture of the same name beside the original: captions are found by name.
    private static string Converted(string name) =>
        Path.ChangeExtension(name, Path.GetExtension(name).Equals(".png", StringComparison.OrdinalIgnoreCase) ? ".jpg" : ".png");

    private static string? Name(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length >= 16 && file[4..].StartsWith("ftyp"u8))
            return OfBrands(file);
        if (file.StartsWith("GIF8"u8))
            return "GIF";
        // Cameras' raws begin like a TIFF.
        if ((file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8)) && !PictureName.IsTiff(name))
            return "TIFF (or a camera's raw)";
        if (file.StartsWith("II+\0"u8) || file.StartsWith("MM\0+"u8))
            return "BigTIFF";
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A]) || file.StartsWith("\0\0\0\u000cJXL "u8))
            return "JPEG XL";
        return file.StartsWith("\0\0\0\u000cjP  "u8) ? "JPEG 2000" : null;
    }

    // ISO/IEC 14496-12: the box's size, "ftyp", the major brand, a version, then the compatible brands.
    private static string OfBrands(ReadOnlySpan<byte> file)
    {
        var size = Math.Min(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(file), (uint)file.Length);
        List<string> brands = [];
        for (var at = 8; at + 4 <= size; at += 4)
        {
            if (at != 12)
                brands.Add(Encoding.ASCII.GetString(file.Slice(at, 4)));
        }

        if (brands.Exists(Avif.Contains))
            return "AVIF";
        return brands.Exists(brand => Heic.Contains(brand) || brand is "mif1" or "msf1") ? "HEIC" : "video";
    }
}
