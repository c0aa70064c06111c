using System.Text;
using SkiaSharp;

namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Measures, wraps and draws text in one size and colour; characters that the typeface lacks come from the system's fonts.
/// </summary>
internal sealed class SheetText : IDisposable
{
    private const string Ellipsis = "…";
    private readonly SKTypeface _typeface;
    private readonly SKFont _font;
    private readonly SKPaint _paint;

    public SheetText(float size, SKTypeface typeface, SKColor color)
    {
        _typeface = typeface;
        _font = new SKFont(typeface, size) { Edging = SKFontEdging.Antialias, Subpixel = true };
        _paint = new SKPaint { Color = color, IsAntialias = true };
        LineHeight = (int)MathF.Ceiling(size * 1.35f);
    }

    /// <summary>Pixels from one line to the next.</summary>
    public int LineHeight { get; }

    /// <summary>Pixels of the longest of these lines.</summary>
    public int Width(IEnumerable<string> lines) => (int)MathF.Ceiling(lines.Select(Measure).DefaultIfEmpty(0).Max());

    /// <summary>
    /// Breaks text at spaces, and words that are too long anywhere, into at most <paramref name="maxLines"/> lines; the last one ends in
    /// "…" when not all of it fits. No lines for blank text.
    /// </summary>
    public IReadOnlyList<string> Wrap(string text, float width, int maxLines)
    {
        List<string> lines = [];
        var line = "";
        foreach (var word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            var rest = word;
            while (Measure(Join(line, rest)) > width)
            {
                var (head, tail) = line.Length > 0 ? (line, rest) : Break(rest, width);
                lines.Add(head);
                (line, rest) = ("", tail);
                if (rest.Length == 0 || lines.Count > maxLines)
                    break;
            }

            line = Join(line, rest);
        }

        if (line.Length > 0)
            lines.Add(line);
        if (lines.Count <= maxLines)
            return lines;
        return [.. lines.Take(maxLines - 1), Shorten(lines[maxLines - 1], width)];
    }

    /// <summary>Draws lines below each other from the top left corner of a column of this width.</summary>
    public void Draw(SKCanvas canvas, IReadOnlyList<string> lines, float left, float top, float width, bool centered)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            var x = centered ? left + MathF.Max(0, (width - Measure(lines[i])) / 2) : left;
            var baseline = top + i * LineHeight + 0.78f * LineHeight;
            foreach (var (run, font) in Runs(lines[i]))
            {
                canvas.DrawText(run, x, baseline, font, _paint);
                x += font.MeasureText(run);
                Release(font);
            }
        }
    }

    /// <summary>Draws one line on a base line.</summary>
    /// <param name="canvas">Where to.</param>
    /// <param name="text">The line.</param>
    /// <param name="x">Pixels from the left to the place that <paramref name="align"/> names.</param>
    /// <param name="baseline">Pixels from the top to the base line.</param>
    /// <param name="align">The part of the line that lies before <paramref name="x"/>: 0 none of it, 0.5 half, 1 all.</param>
    public void DrawLine(SKCanvas canvas, string text, double x, double baseline, float align)
    {
        var at = (float)x - (align * Measure(text));
        foreach (var (run, font) in Runs(text))
        {
            canvas.DrawText(run, at, (float)baseline, font, _paint);
            at += font.MeasureText(run);
            Release(font);
        }
    }

    public void Dispose()
    {
        _font.Dispose();
        _paint.Dispose();
    }

    private static string Join(string line, string word) => line.Length == 0 || word.Length == 0 ? line + word : line + " " + word;

    private float Measure(string text)
    {
        var width = 0f;
        foreach (var (run, font) in Runs(text))
        {
            width += font.MeasureText(run);
            Release(font);
        }

        return width;
    }

    private (string Head, string Tail) Break(string word, float width)
    {
        var end = 0;
        foreach (var rune in word.EnumerateRunes())
        {
            if (end > 0 && Measure(word[..(end + rune.Utf16SequenceLength)]) > width)
                break;
            end += rune.Utf16SequenceLength;
        }

        return (word[..end], word[end..]);
    }

    private string Shorten(string line, float width)
    {
        while (line.Length > 0 && Measure(line + Ellipsis) > width)
            line = line[..^(line.Length > 1 && char.IsLowSurrogate(line[^1]) ? 2 : 1)].TrimEnd();
        return line + Ellipsis;
    }

    /// <summary>The text in pieces of one typeface each.</summary>
    private IEnumerable<(string Run, SKFont Font)> Runs(string text)
    {
        var run = new StringBuilder();
        var current = _typeface;
        foreach (var rune in text.EnumerateRunes())
        {
            var typeface = SheetTypeface.For(rune.Value, _typeface);
            if (typeface != current && run.Length > 0)
            {
                yield return (run.ToString(), FontOf(current));
                run.Clear();
            }

            current = typeface;
            run.Append(rune.ToString());
        }

        if (run.Length > 0)
            yield return (run.ToString(), FontOf(current));
    }

    private SKFont FontOf(SKTypeface typeface) =>
        typeface == _typeface ? _font : new SKFont(typeface, _font.Size) { Edging = SKFontEdging.Antialias, Subpixel = true };

    private void Release(SKFont font)
    {
        if (font != _font)
            font.Dispose();
    }
}
