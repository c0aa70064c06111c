namespace Dreambooth.Lab.Data;

/// <summary>One row of a batch before its pixels are loaded.</summary>
/// <param name="View">Which picture, and what is seen of it.</param>
/// <param name="Prompt">Its text.</param>
/// <param name="IsClass">Whether it is a class picture (prior preservation) and not an instance picture.</param>
/// <param name="OriginalWidth">Pixels in a row of the upright picture before resizing.</param>
/// <param name="OriginalHeight">Rows of the upright picture before resizing.</param>
public sealed record DreamBoothRow(PictureView View, string Prompt, bool IsClass, int OriginalWidth, int OriginalHeight)
{
    /// <summary>What its loss is multiplied with.</summary>
    internal double LossWeight { get; init; } = 1;
}
