namespace Dreambooth.Lab.Display;

/// <summary>A part of a <see cref="Report"/>.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Text">What it shows, in a few sentences; empty for none.</param>
/// <param name="Views">What it shows, from top to bottom.</param>
internal sealed record ReportSection(string Title, string Text, IReadOnlyList<HtmlView> Views);
