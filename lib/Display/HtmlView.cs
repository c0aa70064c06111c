using System.Reflection;

namespace Dreambooth.Lab.Display;

/// <summary>Something that a page or a notebook shows.</summary>
public abstract record HtmlView
{
    private static readonly Lazy<string> StyleSheet = new(() => ReadAsset("lab.css"));
    private static readonly Lazy<string> Script = new(() => ReadAsset("lab.js"));

    /// <summary>
    /// A fragment that stands alone, with its style and script: what a notebook shows as text/html. It asks for nothing over the network and
    /// follows the reader's light or dark setting.
    /// </summary>
    public string ToHtml()
    {
        var writer = new HtmlWriter();
        writer.Open("div", ("class", "lab")).Style(Css);
        Write(writer);
        writer.Script(JavaScript).Close();
        return writer.ToString();
    }

    /// <summary>The style of everything that the lab shows; all its rules lie under the class <c>lab</c>.</summary>
    internal static string Css => StyleSheet.Value;

    /// <summary>The script that enlarges pictures on a click.</summary>
    internal static string JavaScript => Script.Value;

    /// <summary>Writes the view without style and script.</summary>
    internal abstract void Write(HtmlWriter writer);

    private static string ReadAsset(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"{name} is not built into the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
