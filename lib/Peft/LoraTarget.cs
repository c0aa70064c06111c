using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Peft;

/// <summary>A layer that a LoRA file names.</summary>
/// <param name="Component">Prefix of the model, for example <c>transformer</c>.</param>
/// <param name="Path">The layer's path in the model.</param>
/// <param name="Part">Which rows of the written layer it has.</param>
/// <param name="Layout">Whose name it is.</param>
internal sealed record LoraTarget(string Component, string Path, KeyPart Part, LoraFileLayout Layout)
{
    /// <summary>The layer's key.</summary>
    public string Key => $"{Component}.{Path}";
}
