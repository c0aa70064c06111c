namespace Dreambooth.Lab.Imaging;

/// <summary>One picture of a <see cref="ContactSheet"/>.</summary>
/// <param name="Image">The picture, any size.</param>
/// <param name="Caption">Text under it, wrapped; null for none.</param>
public sealed record ContactSheetCell(RgbImage Image, string? Caption = null);
