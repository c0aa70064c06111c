using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>A linear layer, <c>[..., in] → [..., out]</c>, that can carry LoRA updates.</summary>
public sealed class LoraLinear : AdaptedLayer
{
    private Tensor? _scales; // of the weight's rows, [out, 1]
    private bool _isQuantized;

    private Float8Rows Codes => new(Weight, _scales!);

    /// <summary>Declares the layer; see <see cref="WeightedLayer"/> for how it gets its values.</summary>
    /// <param name="inFeatures">Width of the input.</param>
    /// <param name="outFeatures">Width of the output.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public LoraLinear(long inFeatures, long outFeatures, bool bias, Device device, ScalarType dtype)
        : base(nameof(LoraLinear), [outFeatures, inFeatures], bias, device, dtype)
    {
    }

    /// <inheritdoc/>
    internal override bool IsQuantized => _isQuantized;

    /// <summary>
    /// Brings the weight into 8-bit floating point, a scale for each output: the one that is there, and every one that is assigned. For
    /// inference only; LoRA updates stay as they are, beside it.
    /// </summary>
    internal void Quantize()
    {
        _isQuantized = true;
        if (Weight.device_type != DeviceType.META && Weight.dtype != Float8.E4M3.Dtype)
            Assign("weight", Weight.alias());
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => Run(input, this)[0];

    /// <summary>Several layers of one input, fused where their updates are trained (<see cref="LoraProjection"/>).</summary>
    /// <param name="input"><c>[..., in]</c>.</param>
    /// <param name="layers">The layers.</param>
    /// <returns>An output <c>[..., out]</c> of each.</returns>
    internal static Tensor[] Run(Tensor input, params LoraLinear[] layers)
    {
        if (layers[0].IsQuantized)
        {
            using var codes = Float8Rows.Of(input);
            return Array.ConvertAll(layers, layer => layer.Plain(input, codes));
        }

        return LoraProjection.Trained(input, layers) ?? Array.ConvertAll(layers, layer => layer.Plain(input));
    }

    /// <summary><c>W x + b + s · B (A x)</c>, with a term <c>s · B (A x)</c>, or what its variant has for it, for each update.</summary>
    /// <param name="input"><c>[..., in]</c>.</param>
    /// <param name="codes">The same in 8-bit floating point, where the weight is.</param>
    /// <returns><c>[..., out]</c>.</returns>
    internal Tensor Plain(Tensor input, Float8Rows? codes = null)
    {
        using var scope = NewDisposeScope();
        // A bias takes part in the product of rows; with more dimensions libtorch adds it in a pass of its own. Updates alone read the
        // input beside its codes.
        var rows = codes is not null && Adapters.Count == 0 ? input : input.reshape(-1, InFeatures);
        return Rows(rows, codes).view([.. input.shape[..^1], OutFeatures]).MoveToOuterDisposeScope();
    }

    internal override Tensor Matrix() => _isQuantized ? Codes.Decode() : base.Matrix();

    internal override Tensor Product(Tensor x, Float8Rows? codes, Tensor? bias)
    {
        if (!_isQuantized)
            return base.Product(x, codes, bias);
        using var own = codes is null ? Float8Rows.Of(x) : null;
        return (codes ?? own!).Times(Codes, bias, x.dtype);
    }

    private protected override Tensor Stored(Tensor weight)
    {
        if (!_isQuantized || weight.device_type == DeviceType.META)
            return weight;
        if (weight.dtype == Float8.E4M3.Dtype)
        {
            // A copy of the codes that were made before: their scales go with them.
            Keep(_scales!.to(weight.device));
            return weight;
        }

        var rows = Float8Rows.Of(weight);
        weight.Dispose();
        Keep(rows.Scales);
        return rows.Codes;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _scales?.Dispose();
        base.Dispose(disposing);
    }

    private void Keep(Tensor scales)
    {
        if (scales.Handle == _scales?.Handle)
            return;
        _scales?.Dispose();
        _scales = scales.DetachFromDisposeScope();
    }
}
