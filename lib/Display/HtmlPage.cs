namespace Dreambooth.Lab.Display;

/// <summary>The shell of a page: style and script inside, light or dark as the reader's system is.</summary>
internal static class HtmlPage
{
    /// <summary>A whole page.</summary>
    /// <param name="title">The title of the window.</param>
    /// <param name="body">Writes what the page holds.</param>
    public static string Write(string title, Action<HtmlWriter> body)
    {
        var content = new HtmlWriter();
        body(content.Use(ViewAsset.Page));
        var writer = new HtmlWriter();
        writer.Open("html", ("lang", "en")).Open("head");
        writer.Empty("meta", ("charset", "utf-8"));
        writer.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
        writer.Empty("meta", ("name", "color-scheme"), ("content", "light dark"));
        writer.Element("title", title);
        writer.Style(ViewAssets.Css(content.Assets)).Close();
        writer.Open("body", ("class", "lab lab-page")).Open("main").Append(content).Close();
        if (content.Assets.Contains(ViewAsset.Zoom))
            writer.Script(ViewAssets.Text(ViewAsset.Zoom));
        writer.Close().Close();
        return "<!DOCTYPE html>\n" + writer;
    }
}
