using Dreambooth.Lab.Layers.Fused;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>A linear layer, <c>[..., in] → [..., out]</c>, that can carry LoRA updates.</summary>
public sealed class LoraLinear : WeightedLayer
{
    private readonly List<LoraWeights> _adapters = [];

    /// <summary>Declares the layer; see <see cref="WeightedLayer"/> for how it gets its values.</summary>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="outFeatures">Width of the output.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public LoraLinear(long inFeatures, long outFeatures, bool bias, Device device, ScalarType dtype)
        : base(nameof(LoraLinear), [outFeatures, inFeatures], bias ? [outFeatures] : null, device, dtype)
    {
    }

    /// <summary>Width of the input.</summary>
    public long InFeatures => Weight.shape[1];

    /// <summary>Width of the output.</summary>
    public long OutFeatures => Weight.shape[0];

    /// <summary>The updates that the layer carries, in the order of their attachment.</summary>
    public IReadOnlyList<LoraWeights> Adapters => _adapters;

    /// <summary>Adds an update; the layer uses it from the next forward on.</summary>
    /// <param name="update">Its <c>A</c> must be <c>[rank, in]</c> and its <c>B</c> <c>[out, rank]</c> of this layer.</param>
    public void Attach(LoraWeights update)
    {
        ArgumentNullException.ThrowIfNull(update);
        if (update.A.shape[1] != InFeatures || update.B.shape[0] != OutFeatures || update.A.shape[0] != update.B.shape[1])
            throw new ArgumentException(
                $"A LoRA update with A [{string.Join(", ", update.A.shape)}] and B [{string.Join(", ", update.B.shape)}] does not fit a "
                + $"linear layer {InFeatures} → {OutFeatures}.",
                nameof(update));
        if (_adapters.Exists(a => a.Adapter == update.Adapter))
            throw new ArgumentException($"The layer already carries an adapter named '{update.Adapter}'.", nameof(update));
        _adapters.Add(update);
    }

    /// <summary>Removes an adapter's update from the layer; does nothing if there is none of that name.</summary>
    /// <param name="adapter">The adapter's name.</param>
    public void Detach(string adapter) => _adapters.RemoveAll(a => a.Adapter == adapter);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => Run(input, this)[0];

    /// <summary>Several layers of one input, fused where their updates are trained (<see cref="LoraProjection"/>).</summary>
    /// <param name="input"><c>[..., in]</c>.</param>
    /// <param name="layers">The layers.</param>
    /// <returns>An output <c>[..., out]</c> of each.</returns>
    internal static Tensor[] Run(Tensor input, params LoraLinear[] layers) =>
        LoraProjection.Trained(input, layers) ?? Array.ConvertAll(layers, layer => layer.Plain(input));

    /// <summary><c>W x + b + s · B (A x)</c>, with a term <c>s · B (A x)</c> for each update.</summary>
    /// <param name="input"><c>[..., in]</c>.</param>
    /// <returns><c>[..., out]</c>.</returns>
    internal Tensor Plain(Tensor input)
    {
        using var scope = NewDisposeScope();
        // A bias takes part in the product of rows; with more dimensions libtorch adds it in a pass of its own.
        var x = input.reshape(-1, InFeatures);
        var output = nn.functional.linear(x, Weight, Bias);
        foreach (var update in _adapters.Where(update => update.Scale != 0))
        {
            var (a, b) = update.In(x.dtype);
            // output + s · (A x) Bᵀ, into the output's own memory.
            output.addmm_(nn.functional.linear(x, a), b.t(), beta: 1, alpha: (float)update.Scale);
        }

        return output.view([.. input.shape[..^1], OutFeatures]).MoveToOuterDisposeScope();
    }
}
