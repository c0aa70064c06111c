using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>The typefaces of contact sheets: Inter, carried inside the assembly, since a machine may have no fonts at all.</summary>
internal static class SheetTypeface
{
    private static readonly Lazy<SKTypeface> _regular = new(() => Load("Inter-Regular.ttf"));
    private static readonly Lazy<SKTypeface> _semiBold = new(() => Load("Inter-SemiBold.ttf"));

    public static SKTypeface Regular => _regular.Value;

    public static SKTypeface SemiBold => _semiBold.Value;

    /// <summary>
    /// A typeface that has this character: the given one, else one of the system's, else the given one (which then draws a box).
    /// </summary>
    public static SKTypeface For(int codePoint, SKTypeface preferred) => preferred.ContainsGlyph(codePoint)
        ? preferred
        : SKFontManager.Default.MatchCharacter(codePoint) ?? preferred;

    private static SKTypeface Load(string name)
    {
        using var stream = typeof(SheetTypeface).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks its font {name}.");
        return SKTypeface.FromStream(stream) ?? throw new InvalidOperationException($"The assembly's font {name} cannot be read.");
    }
}
