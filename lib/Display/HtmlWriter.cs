using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Writes HTML that is well-formed XML as well. Texts and attribute values are escaped here and nowhere else, so that data cannot become
/// markup.
/// </summary>
internal sealed class HtmlWriter
{
    private readonly StringBuilder _html = new();
    private readonly Stack<string> _open = new();
    private readonly SortedSet<ViewAsset> _assets = [];

    /// <summary>The styles and scripts that the content needs.</summary>
    public IReadOnlyCollection<ViewAsset> Assets => _assets;

    /// <summary>Marks a style or script as needed.</summary>
    public HtmlWriter Use(ViewAsset asset)
    {
        _assets.Add(asset);
        return this;
    }

    /// <summary>What another writer wrote, whole.</summary>
    public HtmlWriter Append(HtmlWriter other)
    {
        _html.Append(other);
        _assets.UnionWith(other._assets);
        return this;
    }

    /// <summary>Opens an element.</summary>
    public HtmlWriter Open(string tag, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        WriteStart(tag, attributes);
        _html.Append('>');
        _open.Push(tag);
        return this;
    }

    /// <summary>Closes the element that was opened last.</summary>
    public HtmlWriter Close()
    {
        _html.Append("</").Append(_open.Pop()).Append(">\n");
        return this;
    }

    /// <summary>An element without content, such as img or path.</summary>
    public HtmlWriter Empty(string tag, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        WriteStart(tag, attributes);
        _html.Append(" />");
        return this;
    }

    /// <summary>An element that holds a text.</summary>
    public HtmlWriter Element(string tag, string text, params ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        WriteStart(tag, attributes);
        _html.Append('>');
        Text(text);
        _html.Append("</").Append(tag).Append(">\n");
        return this;
    }

    public HtmlWriter Text(string text)
    {
        Escape(text);
        return this;
    }

    /// <summary>The lab's own style.</summary>
    public HtmlWriter Style(string css)
    {
        _html.Append("<style>").Append(css).Append("</style>\n");
        return this;
    }

    /// <summary>The lab's own script.</summary>
    public HtmlWriter Script(string script)
    {
        _html.Append("<script>/*<![CDATA[*/\n").Append(script).Append("/*]]>*/</script>\n");
        return this;
    }

    /// <summary>Data for the lab's own script.</summary>
    /// <param name="id">By which the script finds it.</param>
    /// <param name="json">JSON whose texts have no &lt;, &gt; or &amp; but in escapes, as the framework writes it by default.</param>
    public HtmlWriter Data(string id, string json)
    {
        if (json.AsSpan().IndexOfAny('<', '>', '&') >= 0)
            throw new ArgumentException("Data in a page must not hold <, > or &.", nameof(json));
        _html.Append("<script type=\"application/json\" id=\"").Append(id).Append("\">").Append(json).Append("</script>\n");
        return this;
    }

    /// <summary>A number as SVG takes it.</summary>
    public static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>Everything that was written; every element must be closed.</summary>
    public override string ToString() =>
        _open.Count == 0 ? _html.ToString() : throw new InvalidOperationException($"<{_open.Peek()}> is not closed.");

    private void WriteStart(string tag, ReadOnlySpan<(string Name, string? Value)> attributes)
    {
        _html.Append('<').Append(tag);
        foreach (var (name, value) in attributes)
        {
            if (value is null)
                continue;
            _html.Append(' ').Append(name).Append("=\"");
            Escape(value);
            _html.Append('"');
        }
    }

    // Characters that neither HTML nor XML may hold become U+FFFD.
    private void Escape(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '&' => _html.Append("&amp;"),
                '<' => _html.Append("&lt;"),
                '>' => _html.Append("&gt;"),
                '"' => _html.Append("&quot;"),
                '\'' => _html.Append("&#39;"),
                '\t' or '\n' or '\r' => _html.Append((char)rune.Value),
                < 0x20 or (>= 0x7F and <= 0x9F) or 0xFFFE or 0xFFFF => _html.Append('\uFFFD'),
                _ => _html.Append(rune.ToString()),
            };
        }
    }
}
