namespace Dreambooth.Lab.Data;

/// <summary>A usable picture of a folder.</summary>
/// <param name="Path">The file.</param>
/// <param name="Width">Pixels in a row of the upright picture, before any resizing.</param>
/// <param name="Height">Rows of the upright picture, before any resizing.</param>
public sealed record PictureFile(string Path, int Width, int Height);
