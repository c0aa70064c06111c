using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Painting;

/// <summary>Arithmetic on colours.</summary>
internal static class Tint
{
    /// <summary>The colour of a hex number 0xRRGGBB.</summary>
    public static SKColor Hex(uint rgb) => new(0xFF000000u | rgb);

    /// <summary>Blends in sRGB: <paramref name="t"/> 0 gives <paramref name="a"/>, 1 gives <paramref name="b"/>.</summary>
    public static SKColor Mix(SKColor a, SKColor b, float t) => new(
        Between(a.Red, b.Red, t), Between(a.Green, b.Green, t), Between(a.Blue, b.Blue, t), Between(a.Alpha, b.Alpha, t));

    /// <summary>Towards white.</summary>
    public static SKColor Lighter(SKColor c, float t) => Mix(c, SKColors.White.WithAlpha(c.Alpha), t);

    /// <summary>Towards a dark, slightly violet shadow.</summary>
    public static SKColor Darker(SKColor c, float t) => Mix(c, new SKColor(18, 12, 30, c.Alpha), t);

    /// <summary>The colour in deep shadow: darker and a little warmer, its hue kept.</summary>
    public static SKColor Shadow(SKColor c) => new((byte)(c.Red * 0.45f), (byte)(c.Green * 0.3f), (byte)(c.Blue * 0.38f), c.Alpha);

    /// <summary>The same colour with an opacity of 0 to 1.</summary>
    public static SKColor Fade(SKColor c, float opacity) => c.WithAlpha((byte)Math.Clamp((int)((opacity * 255f) + 0.5f), 0, 255));

    /// <summary>Brightness 0 to 1 (Rec. 601).</summary>
    public static float Luma(SKColor c) => ((0.299f * c.Red) + (0.587f * c.Green) + (0.114f * c.Blue)) / 255f;

    /// <summary>
    /// The colour moved a little at random: each channel by up to <paramref name="amount"/> (0 to 255) together, plus a third of that
    /// alone.
    /// </summary>
    public static SKColor Vary(SKColor c, SeededRandom random, float amount)
    {
        var together = random.Range(-amount, amount);
        byte Shift(byte v) => (byte)Math.Clamp((int)(v + together + random.Range(-amount / 3, amount / 3)), 0, 255);
        return new SKColor(Shift(c.Red), Shift(c.Green), Shift(c.Blue), c.Alpha);
    }

    private static byte Between(byte a, byte b, float t) => (byte)Math.Clamp((int)(a + ((b - a) * t) + 0.5f), 0, 255);
}
