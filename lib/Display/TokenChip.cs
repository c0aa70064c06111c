namespace Dreambooth.Lab.Display;

/// <summary>One token of a prompt.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">What it stands for, or its spelling where it stands for no text.</param>
/// <param name="IsSpecial">Whether it begins or ends the row and is no text.</param>
/// <param name="IsIdentifier">Whether it is of the subject's name.</param>
public sealed record TokenChip(int Id, string Text, bool IsSpecial, bool IsIdentifier);
