namespace Dreambooth.Lab.Display;

/// <summary>A few figures side by side, each with what it is: "3:12 — training".</summary>
/// <param name="Facts">What each figure is, and the figure.</param>
public sealed record FactList(IReadOnlyList<(string Label, string Value)> Facts) : HtmlView
{
    /// <summary>One line for each figure: "training: 3:12".</summary>
    public override string ToText() => string.Join("\n", Facts.Select(fact => $"{fact.Label}: {fact.Value}"));

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        writer.Use(ViewAsset.Table).Open("dl", ("class", "lab-facts"));
        foreach (var (label, value) in Facts)
            writer.Open("div").Element("dt", label).Element("dd", value).Close();
        writer.Close();
    }
}
