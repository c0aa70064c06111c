namespace Dreambooth.Lab.Tensors;

/// <summary>
/// One row of a <see cref="KeyMapping"/>: a stored name and the published name of what it holds. Both may hold <c>{n}</c> and <c>{m}</c>
/// (numbers), <c>{p}</c> (<c>weight</c> or <c>bias</c>) and <c>{*}</c> (anything); the stored name <c>{last}</c>, the number of the last
/// block; the published name <c>{-n}</c>, n counted from the last block.
/// </summary>
/// <param name="Stored">The name in the file.</param>
/// <param name="Published">The model's parameter name, or null for what is known and not needed.</param>
/// <param name="Part">Which of the stored values are meant.</param>
/// <param name="IsFallback">Whether the row counts only where no other stored tensor gives the published name.</param>
public sealed record KeyRule(string Stored, string? Published, KeyPart Part = KeyPart.Whole, bool IsFallback = false);
