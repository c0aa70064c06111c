namespace Dreambooth.Lab.Imaging;

/// <summary>What the pixels of a file mean. The remarks name PIL's mode.</summary>
public enum PixelMode
{
    /// <summary>Gray, up to 8 bits (1, L).</summary>
    Gray,

    /// <summary>Gray with transparency, 8 bits (LA).</summary>
    GrayAlpha,

    /// <summary>Indices into a palette (P).</summary>
    Palette,

    /// <summary>Red, green, blue, 8 bits (RGB).</summary>
    Rgb,

    /// <summary>Red, green, blue and transparency, 8 bits (RGBA).</summary>
    RgbAlpha,

    /// <summary>Gray, 16 bits (I;16).</summary>
    Gray16,

    /// <summary>16 bits a channel, any other kind (RGB;16B, RGBA;16B, LA;16B).</summary>
    Color16,

    /// <summary>Cyan, magenta, yellow, black: a picture for print (CMYK).</summary>
    Cmyk,
}
