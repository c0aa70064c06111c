namespace Dreambooth.Lab.Miniature.World;

/// <summary>A composed scene before an art rendition: its pixels, and where its subject is.</summary>
/// <param name="Size">Width and height in pixels.</param>
/// <param name="Rgba">Opaque pixels, four bytes each.</param>
/// <param name="Mask">255 on the subject, 0 off it, one byte a pixel.</param>
internal sealed record Composition(int Size, byte[] Rgba, byte[] Mask)
{
    /// <summary>Pixels for each unit of 1/128 of the side.</summary>
    public float Unit => Size / 128f;
}
