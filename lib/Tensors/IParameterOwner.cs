using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>A module that holds parameters directly and lets a loader replace them.</summary>
public interface IParameterOwner
{
    /// <summary>
    /// Whether the parameters are reloaded from their file (<see cref="WeightsOnDemand"/>), so that a change of their values would be lost.
    /// </summary>
    bool IsOnDemand { get; set; }

    /// <summary>Replaces one parameter; the old one is disposed.</summary>
    /// <param name="name">The parameter's own name, for example <c>weight</c>.</param>
    /// <param name="value">The new value, of the declared shape, any device and dtype; the module takes ownership.</param>
    void Assign(string name, Tensor value);
}
