namespace Dreambooth.Lab.Miniature.World;

/// <summary>A rendered picture.</summary>
/// <param name="Size">Its width and height in pixels.</param>
/// <param name="Rgb">Its pixels, row by row from the top, three bytes (red, green, blue; sRGB) each: <c>Size * Size * 3</c> bytes.</param>
public sealed record RenderedPicture(int Size, byte[] Rgb);
