using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>A layer whose weight, seen as a matrix <c>[out, in]</c>, can carry the updates of adapters.</summary>
public abstract class AdaptedLayer : WeightedLayer
{
    private readonly List<LinearUpdate> _adapters = [];

    /// <summary>Declares the layer; see <see cref="WeightedLayer"/> for how it gets its values.</summary>
    /// <param name="name">The layer's kind, for messages.</param>
    /// <param name="weightShape">Shape of the weight; the first number is the width of the output.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    protected AdaptedLayer(string name, long[] weightShape, bool bias, Device device, ScalarType dtype)
        : base(name, weightShape, bias ? [weightShape[0]] : null, device, dtype) =>
        InFeatures = weightShape[1..].Aggregate(1L, static (product, size) => product * size);

    /// <summary>Width of the input.</summary>
    public long InFeatures { get; }

    /// <summary>Width of the output.</summary>
    public long OutFeatures => Weight.shape[0];

    /// <summary>Whether the weight is in 8-bit floating point: nothing can be fused with it then.</summary>
    internal virtual bool IsQuantized => false;

    /// <summary>The updates that the layer carries, in the order of their attachment.</summary>
    public IReadOnlyList<LinearUpdate> Adapters => _adapters;

    /// <summary>Adds an update; the layer uses it from the next forward on.</summary>
    /// <param name="update">Its shape must be this layer's.</param>
    public void Attach(LinearUpdate update)
    {
        ArgumentNullException.ThrowIfNull(update);
        if (update.Shape != (OutFeatures, InFeatures))
            throw new ArgumentException(
                $"An update of a weight [{update.Shape.Out}, {update.Shape.In}] does not fit a layer {InFeatures} → {OutFeatures}.",
                nameof(update));
        if (_adapters.Exists(a => a.Adapter == update.Adapter))
            throw new ArgumentException($"The layer already carries an adapter named '{update.Adapter}'.", nameof(update));
        _adapters.Add(update);
    }

    /// <summary>Removes an adapter's update from the layer; does nothing if there is none of that name.</summary>
    /// <param name="adapter">The adapter's name.</param>
    public void Detach(string adapter) => _adapters.RemoveAll(a => a.Adapter == adapter);

    /// <summary>Whether updates are a part of the weight.</summary>
    internal bool IsFused => _adapters.Exists(update => update.FusedScale != 0);

    /// <summary>The layer and its updates on the rows of an input.</summary>
    /// <param name="x"><c>[N, in]</c>.</param>
    /// <param name="codes">The same in 8-bit floating point, where the weight is.</param>
    /// <returns><c>[N, out]</c>.</returns>
    internal Tensor Rows(Tensor x, Float8Rows? codes = null)
    {
        Tensor? product = null;
        Tensor output;
        if (_adapters.Exists(update => update.Scale != 0 && update.ReadsProduct))
        {
            product = Product(x, codes, null);
            output = Bias is null ? product.clone() : product.add(Bias, KeptScalar.One);
        }
        else
        {
            output = Product(x, codes, Bias);
        }

        return _adapters.Where(update => update.Scale != 0).Aggregate(output, (sum, update) => update.AddTo(sum, x, product, this));
    }

    /// <summary>Makes an update a part of the weight, or takes it out again.</summary>
    /// <param name="update">One of <see cref="Adapters"/>.</param>
    /// <param name="scale">Factor of the update; 0 takes it out.</param>
    internal void Fuse(LinearUpdate update, double scale)
    {
        if (IsQuantized)
        {
            throw new LabException(
                $"Adapter '{update.Adapter}' cannot be fused with weights in fp8: its change would be lost in their rounding. Leave it "
                + "unfused.");
        }

        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        if (Bias is null && update.ChangeOfBias() is not null)
            throw new LabException($"Adapter '{update.Adapter}' changes a bias, but the layer has none to fuse it with.");
        var original = Original().to(ScalarType.Float32);
        if (update.ChangeOfBias() is { } change)
            Bias!.copy_(Bias.to(ScalarType.Float32).add(Scaled(change, scale - update.FusedScale), KeptScalar.One));
        update.FusedRows?.Dispose();
        update.FusedRows = scale == 0 ? null : update.RowFactors(original, scale)?.DetachFromDisposeScope();
        update.FusedScale = scale;
        var (rows, sum) = Fused();
        var weight = rows is null ? original : original.mul(rows);
        Weight.copy_((sum is null ? weight : weight.add(sum, KeptScalar.One)).view(Weight.shape));
    }

    /// <summary>The weight without what is fused with it, <c>[out, in]</c>: itself where nothing is, else in Float32.</summary>
    internal Tensor Original()
    {
        var weight = Matrix();
        var (rows, sum) = Fused();
        if (sum is null)
            return weight;
        weight = weight.to(ScalarType.Float32).sub(sum);
        return rows is null ? weight : weight.div(rows);
    }

    /// <summary>The weight as a matrix, <c>[out, in]</c>.</summary>
    internal virtual Tensor Matrix() => Weight.view(OutFeatures, InFeatures);

    /// <summary>The layer without its updates.</summary>
    internal virtual Tensor Product(Tensor x, Float8Rows? codes, Tensor? bias) => nn.functional.linear(x, Matrix(), bias);

    // With a factor f of the rows, an update's fused weight is f (W + s Δ): the sum of all is (1 + Σ (f - 1)) W + Σ f s Δ.
    private (Tensor? Rows, Tensor? Sum) Fused()
    {
        Tensor? rows = null, sum = null;
        foreach (var update in _adapters.Where(update => update.FusedScale != 0))
        {
            var term = Scaled(update.Change(), update.FusedScale);
            if (update.FusedRows is { } own)
            {
                term.mul_(own);
                rows = rows is null ? own : rows.add(own, KeptScalar.One).sub(KeptScalar.One);
            }

            sum = sum is null ? term : sum.add(term, KeptScalar.One);
        }

        return (rows, sum);
    }

    private static Tensor Scaled(Tensor tensor, double scale)
    {
        using var factor = KeptScalar.Once(scale);
        return tensor.mul(factor);
    }
}
