namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>How often the classifier read an attribute as the caption said it.</summary>
/// <param name="Attribute">The attribute's name; <c>art</c> stands for the rendition of pictures that are no photo.</param>
/// <param name="Generated">Part of the generated pictures that were read right, 0 to 1.</param>
/// <param name="Drawn">The same of painted pictures of the same combinations: what the classifier itself allows.</param>
/// <param name="Count">Pictures that show the attribute.</param>
internal sealed record AttributeRate(string Attribute, double Generated, double Drawn, int Count);
