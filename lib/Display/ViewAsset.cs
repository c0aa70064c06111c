using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Display;

/// <summary>A style or script that views need, in the order in which styles stand; a fragment carries only those that it uses.</summary>
internal enum ViewAsset
{
    /// <summary>Colours and fonts of everything.</summary>
    Base,

    /// <summary>A page of its own.</summary>
    Page,

    /// <summary>Tables and lists of facts.</summary>
    Table,

    /// <summary>Grids of pictures.</summary>
    Grid,

    /// <summary>Charts.</summary>
    Chart,

    /// <summary>Small parts: progress, tokens, legends.</summary>
    Parts,

    /// <summary>The page of a folder of pictures.</summary>
    Sweep,

    /// <summary>The script that enlarges pictures.</summary>
    Zoom,

    /// <summary>The script of a page of pictures: filters, rows and columns.</summary>
    SweepGrid,

    /// <summary>The part that enlarges pictures, also several side by side.</summary>
    SweepDialogs,

    /// <summary>The part that compares pictures blindly.</summary>
    SweepBlind,

    /// <summary>The part that draws contact sheets; it starts the page.</summary>
    SweepSheet,
}

/// <summary>Reads styles and scripts, which are built into the assembly.</summary>
internal static partial class ViewAssets
{
    private static readonly ConcurrentDictionary<ViewAsset, string> _texts = new();

    /// <summary>The styles of a fragment, one after the other.</summary>
    public static string Css(IEnumerable<ViewAsset> used) =>
        string.Concat(used.Append(ViewAsset.Base).Distinct().Where(asset => !IsScript(asset)).Order().Select(Text));

    /// <summary>Whether it is a script; they are the last ones.</summary>
    public static bool IsScript(ViewAsset asset) => asset >= ViewAsset.Zoom;

    /// <summary>The text of a style or script, without the blanks that only a reader of it needs.</summary>
    public static string Text(ViewAsset asset) => _texts.GetOrAdd(asset, static wanted =>
    {
        var name = $"{wanted}{(IsScript(wanted) ? ".js" : ".css")}".ToLowerInvariant();
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not built into the assembly.");
        using var reader = new StreamReader(stream);
        var text = reader.ReadToEnd();
        return IsScript(wanted) ? Indents().Replace(text, "\n") : Breaks().Replace(text, string.Empty);
    });

    [GeneratedRegex(@"\n\s+")]
    private static partial Regex Indents();

    [GeneratedRegex(@"\s*\n\s*")]
    private static partial Regex Breaks();
}
