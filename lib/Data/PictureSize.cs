namespace Dreambooth.Lab.Data;

/// <summary>The size of a picture.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
internal readonly record struct PictureSize(int Width, int Height);
