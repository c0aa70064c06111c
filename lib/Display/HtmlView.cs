using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Display;

/// <summary>A view for a page or a notebook: always as HTML and plain text, sometimes also as a picture and an interactive chart.</summary>
[TypeFormatterSource(typeof(ViewFormatters))]
public abstract record HtmlView
{
    /// <summary>
    /// A self-contained fragment with style and script, which a notebook shows as text/html. It makes no network requests and follows the
    /// reader's light or dark setting.
    /// </summary>
    /// <exception cref="Foundation.LabException">What the view holds does not fit together, or a picture file cannot be read.</exception>
    public string ToHtml()
    {
        var content = new HtmlWriter();
        Write(content);
        var writer = new HtmlWriter();
        writer.Open("div", ("class", "lab")).Style(ViewAssets.Css(content.Assets)).Append(content);
        if (content.Assets.Contains(ViewAsset.Zoom))
            writer.Script(ViewAssets.Text(ViewAsset.Zoom));
        return writer.Close().ToString();
    }

    /// <summary>The view in plain text: what consoles show, and notebooks where nothing shows HTML.</summary>
    public abstract string ToText();

    /// <summary>The view as the content of a PNG file (image/png); null where it is none.</summary>
    public virtual byte[]? ToPng() => null;

    /// <summary>The view as an interactive chart (application/vnd.plotly.v1+json), as JSON; null where it is none.</summary>
    public virtual string? ToPlotlyJson() => null;

    /// <summary>The same as <see cref="ToText"/>.</summary>
    public sealed override string ToString() => ToText();

    /// <summary>Writes the view without style and script.</summary>
    internal abstract void Write(HtmlWriter writer);
}
