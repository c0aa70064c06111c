using System.Globalization;

namespace Dreambooth.Lab.Display;

/// <summary>The shell of a page: style and script inside, light or dark as the reader's system is.</summary>
internal static class HtmlPage
{
    /// <summary>A whole page.</summary>
    /// <param name="title">The title of the window.</param>
    /// <param name="body">Writes what the page holds.</param>
    /// <param name="generator">By which a later run knows the page as its own; null for nothing.</param>
    /// <param name="refreshSeconds">After how many seconds a browser loads it anew; null: never.</param>
    public static string Write(string title, Action<HtmlWriter> body, string? generator = null, int? refreshSeconds = null)
    {
        var content = new HtmlWriter();
        body(content.Use(ViewAsset.Page));
        var writer = new HtmlWriter();
        writer.Open("html", ("lang", "en")).Open("head");
        writer.Empty("meta", ("charset", "utf-8"));
        writer.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        writer.Empty("meta", ("name", "color-scheme"), ("content", "light dark"));
        if (generator is not null)
            writer.Empty("meta", ("name", "generator"), ("content", generator));
        if (refreshSeconds is { } seconds)
            writer.Empty("meta", ("http-equiv", "refresh"), ("content", seconds.ToString(CultureInfo.InvariantCulture)));
        writer.Element("title", title);
        writer.Style(ViewAssets.Css(content.Assets)).Close();
        writer.Open("body", ("class", "lab lab-page")).Open("main").Append(content).Close();
        foreach (var script in content.Assets.Where(ViewAssets.IsScript))
            writer.Script(ViewAssets.Text(script));
        writer.Close().Close();
        return "<!DOCTYPE html>\n" + writer;
    }
}
