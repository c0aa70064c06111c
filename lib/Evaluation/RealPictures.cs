using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Evaluation;

/// <summary>The real pictures of the character, with which generated ones are compared.</summary>
internal static class RealPictures
{
    /// <summary>Reads a folder's PNG pictures in the order of their names.</summary>
    /// <exception cref="LabException">There are fewer than two.</exception>
    public static List<RgbImage> Load(string folder)
    {
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.png") : [];
        return files.Length >= 2
            ? [.. files.Order(StringComparer.Ordinal).Select(ImageDecoder.Load)]
            : throw new LabException($"{folder} has {files.Length} PNG pictures of the character; at least 2 are needed.");
    }
}
