using System.Collections.Concurrent;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>The typefaces of contact sheets: Inter, carried inside the assembly, since a machine may have no fonts at all.</summary>
internal static class SheetTypeface
{
    private static readonly Lazy<SKTypeface> _regular = new(() => Load("Inter-Regular.ttf"));
    private static readonly Lazy<SKTypeface> _semiBold = new(() => Load("Inter-SemiBold.ttf"));

    private static readonly ConcurrentDictionary<int, SKTypeface?> _fallbacks = new();

    public static SKTypeface Regular => _regular.Value;

    public static SKTypeface SemiBold => _semiBold.Value;

    /// <summary>
    /// A typeface that has this character: the given one, else one of the machine's, else the given one (which then draws a box).
    /// </summary>
    public static SKTypeface For(int codePoint, SKTypeface preferred) => preferred.ContainsGlyph(codePoint)
        ? preferred
        : _fallbacks.GetOrAdd(codePoint, static wanted => SKFontManager.Default.MatchCharacter(wanted) ?? FindInstalled(wanted))
            ?? preferred;

    // Skia's Linux build without dependencies knows no installed fonts, so their folder is searched.
    private static SKTypeface? FindInstalled(int codePoint)
    {
        const string folder = "/usr/share/fonts";
        if (!Directory.Exists(folder))
            return null;
        var anywhere = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true };
        foreach (var file in Directory.EnumerateFiles(folder, "*.?t?", anywhere).Order(StringComparer.Ordinal))
        {
            var typeface = SKTypeface.FromFile(file);
            if (typeface is { FontStyle: { Slant: SKFontStyleSlant.Upright, Weight: (int)SKFontStyleWeight.Normal } }
                && typeface.ContainsGlyph(codePoint))
                return typeface;
            typeface?.Dispose();
        }

        return null;
    }

    private static SKTypeface Load(string name)
    {
        using var stream = typeof(SheetTypeface).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly lacks its font {name}.");
        return SKTypeface.FromStream(stream) ?? throw new InvalidOperationException($"The assembly's font {name} cannot be read.");
    }
}
