using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>A page about a run: one self-contained HTML file that makes no network requests.</summary>
internal sealed record Report
{
    /// <summary>The page's title.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence or two under the title; empty for none.</summary>
    public string Lead { get; init; } = string.Empty;

    /// <summary>The figures that stand at the head; empty for none.</summary>
    public IReadOnlyList<(string Label, string Value)> Facts { get; init; } = [];

    /// <summary>The sections in order.</summary>
    public required IReadOnlyList<ReportSection> Sections { get; init; }

    /// <summary>Small print at the foot; empty for none.</summary>
    public string Footer { get; init; } = string.Empty;

    /// <summary>After how many seconds a browser loads the page anew, since it is still being written; null: never.</summary>
    public int? RefreshSeconds { get; init; }

    /// <summary>The whole page.</summary>
    public string ToHtml() => HtmlPage.Write(Title, writer =>
    {
        WriteHead(writer);
        for (var i = 0; i < Sections.Count; i++)
            WriteSection(writer, Sections[i], Anchor(i));
        if (Footer.Length > 0)
            writer.Element("footer", Footer);
    }, refreshSeconds: RefreshSeconds);

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <param name="path">The HTML file; its folder is created when missing.</param>
    public void Save(string path) => AtomicFile.WriteAllText(path, ToHtml());

    private void WriteHead(HtmlWriter writer)
    {
        writer.Open("header").Element("h1", Title);
        if (Lead.Length > 0)
            writer.Element("p", Lead, ("class", "lab-lead"));
        if (Facts.Count > 0)
            new FactList(Facts).Write(writer);
        if (Sections.Count > 1)
        {
            writer.Open("nav");
            for (var i = 0; i < Sections.Count; i++)
                writer.Element("a", Sections[i].Title, ("href", "#" + Anchor(i)));
            writer.Close();
        }

        writer.Close();
    }

    private static void WriteSection(HtmlWriter writer, ReportSection section, string anchor)
    {
        writer.Open("section", ("class", "lab-section"), ("id", anchor)).Element("h2", section.Title);
        if (section.Text.Length > 0)
            writer.Element("p", section.Text, ("class", "lab-text"));
        foreach (var view in section.Views)
            view.Write(writer);
        writer.Close();
    }

    private static string Anchor(int index) => $"part-{index + 1}";
}
