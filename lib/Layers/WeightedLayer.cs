using Dreambooth.Lab.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// A layer with a weight and, mostly, a bias, under the published names <c>weight</c> and <c>bias</c>. It is made without
/// values (uninitialised memory, or none at all on <see cref="torch.META"/>); a loader or an initialiser assigns them.
/// </summary>
public abstract class WeightedLayer : nn.Module<Tensor, Tensor>, IParameterOwner
{
    [TorchSharp.Utils.ComponentName(Name = "weight")]
    private Parameter _weight;

    [TorchSharp.Utils.ComponentName(Name = "bias")]
    private Parameter? _bias;

    /// <summary>Declares the parameters.</summary>
    /// <param name="name">The layer's kind, for messages.</param>
    /// <param name="weightShape">Shape of the weight.</param>
    /// <param name="biasShape">Shape of the bias, or null for none.</param>
    /// <param name="device">Device of the parameters; <see cref="torch.META"/> allocates nothing.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    protected WeightedLayer(string name, long[] weightShape, long[]? biasShape, Device device, ScalarType dtype)
        : base(name)
    {
        _weight = Frozen(empty(weightShape, dtype, device));
        _bias = biasShape is null ? null : Frozen(empty(biasShape, dtype, device));
        RegisterComponents();
    }

    /// <summary>The weight.</summary>
    public Parameter Weight => _weight;

    /// <summary>The bias, or null for a layer without one.</summary>
    public Parameter? Bias => _bias;

    /// <inheritdoc/>
    public bool IsOnDemand { get; set; }

    /// <inheritdoc/>
    public void Assign(string name, Tensor value)
    {
        if (name == "weight")
            value = Stored(value);
        var parameter = Replace(GetName(), name, name switch { "weight" => _weight, "bias" => _bias, _ => null }, value);
        if (name == "weight")
            _weight = parameter;
        else
            _bias = parameter;
        ConditionallyRegisterParameter(name, parameter);
    }

    /// <summary>A weight as the layer keeps it.</summary>
    /// <param name="weight">The weight, which this takes over.</param>
    private protected virtual Tensor Stored(Tensor weight) => weight;

    /// <summary>What takes a parameter's place, of the same shape; the old one is disposed.</summary>
    /// <param name="module">The module's name.</param>
    /// <param name="name">The parameter's.</param>
    /// <param name="old">The parameter; null where the module has none of that name.</param>
    /// <param name="value">The new value, which the parameter takes over.</param>
    internal static Parameter Replace(string module, string name, Parameter? old, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (old is null)
            throw new ArgumentException($"{module} has no parameter '{name}'.", nameof(name));
        if (!old.shape.AsSpan().SequenceEqual(value.shape))
            throw new ArgumentException(
                $"{module}.{name} has shape [{string.Join(", ", old.shape)}], not [{string.Join(", ", value.shape)}].", nameof(value));
        var parameter = Frozen(value);
        old.Dispose();
        return parameter;
    }

    /// <summary>A parameter that is not trained and that no dispose scope frees.</summary>
    internal static Parameter Frozen(Tensor value)
    {
        var parameter = new Parameter(value, requires_grad: false);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
