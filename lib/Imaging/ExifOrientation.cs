namespace Dreambooth.Lab.Imaging;

/// <summary>
/// How a camera held the picture (EXIF tag 0x0112): what must be done to the stored pixels to see it upright.
/// </summary>
public enum ExifOrientation
{
    /// <summary>1: as stored.</summary>
    Upright = 1,

    /// <summary>2: mirror left to right.</summary>
    Mirror = 2,

    /// <summary>3: turn by 180°.</summary>
    Rotate180 = 3,

    /// <summary>4: mirror top to bottom.</summary>
    Flip = 4,

    /// <summary>5: mirror along the main diagonal (x and y change places).</summary>
    Transpose = 5,

    /// <summary>6: turn by 90° clockwise.</summary>
    Rotate90Clockwise = 6,

    /// <summary>7: mirror along the other diagonal.</summary>
    Transverse = 7,

    /// <summary>8: turn by 90° counter-clockwise.</summary>
    Rotate90CounterClockwise = 8,
}
