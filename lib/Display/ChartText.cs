namespace Dreambooth.Lab.Display;

/// <summary>A text in its place.</summary>
/// <param name="Text">The text.</param>
/// <param name="X">Where its start, middle or end lies.</param>
/// <param name="Y">Its base line.</param>
/// <param name="Side">Which part lies at <paramref name="X"/>.</param>
internal sealed record ChartText(string Text, double X, double Y, TextSide Side)
{
    /// <summary>Whether it runs up to the right by <see cref="ChartLayout.Slant"/>.</summary>
    public bool IsSlanted { get; init; }
}

/// <summary>Which part of a text lies at its place.</summary>
internal enum TextSide
{
    /// <summary>Its beginning.</summary>
    Start,

    /// <summary>Its middle.</summary>
    Middle,

    /// <summary>Its end.</summary>
    End,
}
