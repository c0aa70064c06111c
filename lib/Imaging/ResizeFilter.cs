namespace Dreambooth.Lab.Imaging;

/// <summary>How a picture is resized; the numbers are PIL's, as published preprocessor files have them.</summary>
internal enum ResizeFilter
{
    /// <summary>A sinc in the middle part of a wider one, over 6 places.</summary>
    Lanczos = 1,

    /// <summary>A triangle over 2 places.</summary>
    Bilinear = 2,

    /// <summary>Keys' cubic with a = −1/2 over 4 places.</summary>
    Bicubic = 3,
}
