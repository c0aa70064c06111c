using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>The <c>src</c> of an image: the picture itself as a data URI, or the path of its file.</summary>
internal static class PictureSource
{
    /// <summary>The address of a picture.</summary>
    /// <param name="cell">The picture.</param>
    /// <param name="relativeTo">The folder that files are named from; null puts the picture itself there.</param>
    /// <param name="embedding">How the picture itself is put there.</param>
    /// <param name="shownSize">CSS pixels of the longer side.</param>
    /// <exception cref="LabException">The file cannot be read or is no picture.</exception>
    public static string Of(GridCell cell, string? relativeTo, PictureEmbedding embedding, int shownSize)
    {
        // Browsers do not show TIFF.
        if (cell.Path is { } tiff && PictureName.IsTiff(tiff) && (relativeTo is not null || embedding.Format == PictureFormat.Original))
            return PictureEmbedding.Thumbnail.DataUri(cell.Load(), shownSize);
        if (cell.Path is { } path && relativeTo is not null)
            return RelativeUrl(relativeTo, path);
        return cell.Path is { } file && embedding.Format == PictureFormat.Original
            ? PictureEmbedding.Data(MediaType(file), Read(file))
            : embedding.DataUri(cell.Load(), shownSize);
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The picture {path} cannot be read: {error.Message}", error);
        }
    }

    private static string MediaType(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".png" => "png",
        ".jpg" or ".jpeg" => "jpeg",
        ".webp" => "webp",
        ".bmp" => "bmp",
        var other =>
            throw new LabException($"{path}: pictures are shown from .png, .jpg, .jpeg, .webp or .bmp files, not from \"{other}\"."),
    };

    private static string RelativeUrl(string folder, string path)
    {
        var relative = Path.GetRelativePath(Path.GetFullPath(folder), Path.GetFullPath(path)).Replace('\\', '/');
        return string.Join('/', relative.Split('/').Select(part => part is ".." or "." ? part : Uri.EscapeDataString(part)));
    }
}
