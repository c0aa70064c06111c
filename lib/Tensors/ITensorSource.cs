using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>Named tensors that a model can be loaded from.</summary>
public interface ITensorSource
{
    /// <summary>Where they come from, for messages.</summary>
    string Path { get; }

    /// <summary>
    /// Every tensor's type and shape by name. Places and lengths in bytes are those of the stored tensor that it is taken from.
    /// </summary>
    IReadOnlyDictionary<string, SafetensorsEntry> Entries { get; }

    /// <summary>Loads one tensor, owned by the caller.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="device">Where it shall lie; the CPU when null.</param>
    /// <param name="dtype">Its element type; that of its entry when null.</param>
    /// <exception cref="Foundation.LabException">There is no such tensor.</exception>
    Tensor Load(string name, Device? device = null, ScalarType? dtype = null);
}
