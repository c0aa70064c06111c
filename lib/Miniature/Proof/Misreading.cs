namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>An attribute that the classifier read otherwise than the caption means it.</summary>
/// <param name="Picture">Number of the picture, from 0.</param>
/// <param name="Caption">The picture's caption.</param>
/// <param name="Attribute">The attribute's name.</param>
/// <param name="Asked">The class that the caption means; an attribute that it does not name is the plainest.</param>
/// <param name="Read">The class that was read.</param>
internal sealed record Misreading(int Picture, string Caption, string Attribute, string Asked, string Read);
