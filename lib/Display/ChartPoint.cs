namespace Dreambooth.Lab.Display;

/// <summary>One value of a chart.</summary>
/// <param name="Series">What the value is of.</param>
/// <param name="Category">The name that it stands at; null where the axis has numbers.</param>
/// <param name="X">Where it stands; the category's number, from 0, where the axis has names.</param>
/// <param name="Y">The value, not rounded; NaN for a gap.</param>
/// <param name="Label">Its text on hover; null for none.</param>
public sealed record ChartPoint(string Series, string? Category, double X, double Y, string? Label);
