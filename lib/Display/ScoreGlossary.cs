namespace Dreambooth.Lab.Display;

/// <summary>What the scores of an evaluation mean, folded until a reader asks.</summary>
/// <param name="Entries">Each score's title and its meaning.</param>
internal sealed record ScoreGlossary(IReadOnlyList<(string Title, string Meaning)> Entries) : HtmlView
{
    private const string Heading = "What the scores mean";

    /// <summary>One line a score.</summary>
    public override string ToText() => $"{Heading}\n" + string.Join("\n", Entries.Select(entry => $"{entry.Title}: {entry.Meaning}"));

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        writer.Use(ViewAsset.Parts).Open("details", ("class", "lab-glossary")).Element("summary", Heading).Open("dl");
        foreach (var (title, meaning) in Entries)
            writer.Element("dt", title).Element("dd", meaning);
        writer.Close().Close();
    }
}
