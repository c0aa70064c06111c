using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Lessons;

/// <summary>Views of presets, lessons and leftovers.</summary>
public static class LessonViews
{
    /// <summary>The resolved notebook parameters: those left empty or 0 take the preset's value.</summary>
    /// <param name="preset">The preset with what was given.</param>
    /// <param name="more">Further parameters.</param>
    public static FactList Facts(this NotebookPreset preset, params IReadOnlyList<(string Parameter, string Value)> more)
    {
        ArgumentNullException.ThrowIfNull(preset);
        return new FactList(
        [
            ("preset", preset.Size.ToString()),
            ("model", Near(preset.Model)),
            ("photos", Near(preset.Photos)),
            .. more,
        ]);
    }

    /// <summary>What a training left on the disk.</summary>
    /// <param name="leftovers">What there is.</param>
    public static TextTable Table(this IReadOnlyList<TrainingLeftover> leftovers) => TextTable.Of(
        leftovers,
        ("File or folder", leftover => Path.GetFileName(leftover.Path)),
        ("Size", leftover => ByteSize.Text(leftover.Bytes)),
        ("What it is", leftover => leftover.What),
        ("Keep?", leftover => leftover.Needed ? "yes" : "no"));

    /// <summary>A path as it is shown; a name on the hub as it is.</summary>
    internal static string Near(string nameOrPath) => Path.IsPathRooted(nameOrPath) ? ProjectFolder.Near(nameOrPath) : nameOrPath;
}
