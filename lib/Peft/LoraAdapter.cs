using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// A low-rank adapter (Hu et al. 2021, arXiv:2106.09685) over one or more models. All its matrices are views of one flat
/// buffer, and their gradients views of a second one, so that an optimizer, a norm or a copy is one operation.
/// </summary>
public sealed class LoraAdapter : IDisposable
{
    private readonly List<LoraLayer> _layers = [];
    private double _weight = 1;
    private Tensor? _copy;
    private Tensor? _copyGradients;
    private Tensor? _places;

    private LoraAdapter(string name, IReadOnlyList<Slot> slots, Device device, ScalarType dtype, bool trainable)
    {
        if (slots.FirstOrDefault(slot => slot.Linear.Adapters.Any(other => other.Adapter == name)) is { } taken)
            throw new LabException(
                $"{taken.Component}.{taken.Path} already carries an adapter named '{name}'; give each adapter a name of its own.");
        Name = name;
        var length = slots.Sum(slot => slot.Parts.Length);
        using var noGradients = no_grad();
        Parameters = zeros([length], dtype, device).DetachFromDisposeScope();
        Gradients = trainable ? zeros([length], dtype, device).DetachFromDisposeScope() : null;
        var segments = new List<LoraSegment>();
        long offset = 0;
        foreach (var group in slots.GroupBy(slot => slot.Component))
        {
            var start = offset;
            foreach (var slot in group)
            {
                var views = new List<Tensor>();
                foreach (var (_, shape) in slot.Parts.Entries)
                    views.Add(View(Parameters, Gradients, ref offset, shape));
                var update = slot.Parts.Build(name, views, slot.Rank, slot.Factor);
                update.Number = _layers.Count;
                _layers.Add(new LoraLayer(slot, update));
            }

            segments.Add(new LoraSegment(group.Key, start, offset - start));
        }

        Segments = segments;
        foreach (var layer in _layers)
            layer.Linear.Attach(layer.Update);
    }

    /// <summary>The adapter's name; unique among those that a model carries.</summary>
    public string Name { get; }

    /// <summary>All matrices, flat, <c>[N]</c>.</summary>
    public Tensor Parameters { get; }

    /// <summary>The gradients of all matrices, flat, <c>[N]</c>; null for an adapter that is not trained.</summary>
    public Tensor? Gradients { get; }

    /// <summary>The models' parts of the flat buffers, in order.</summary>
    public IReadOnlyList<LoraSegment> Segments { get; }

    /// <summary>The adapted layers.</summary>
    public IReadOnlyList<LoraLayer> Layers => _layers;

    /// <summary>Whether the update has been added to the models' weights.</summary>
    public bool IsFused { get; private set; }

    /// <summary>How strongly the adapter acts; 1 as trained, 0 off. Cannot change while fused.</summary>
    public double Weight
    {
        get => _weight;
        set
        {
            if (IsFused)
                throw new InvalidOperationException($"Adapter '{Name}' is fused; unfuse it before changing its weight.");
            _weight = value;
            foreach (var layer in _layers)
                layer.Update.Scale = layer.Factor * value;
        }
    }

    /// <summary>
    /// Creates a new adapter on the target layers: A normal with standard deviation 1/rank, B zero, so that the models
    /// compute what they did before; the other variants start as PEFT's do. The draw is made on the CPU: a seed gives the same adapter on
    /// every device.
    /// </summary>
    /// <param name="name">The adapter's name.</param>
    /// <param name="components">The models, each with its targets.</param>
    /// <param name="seed">Seed of the draw.</param>
    /// <param name="device">Where the matrices live; the models' device.</param>
    /// <param name="dtype">Element type of the matrices; float32 for training.</param>
    /// <param name="trainable">Whether gradients are kept.</param>
    /// <exception cref="LabException">A target matches no layer of its model.</exception>
    public static LoraAdapter Create(
        string name, IEnumerable<(LoraComponent Component, LoraConfig Config)> components, ulong seed, Device device, ScalarType dtype,
        bool trainable = true)
    {
        ArgumentNullException.ThrowIfNull(components);
        var slots = LoraMatch.Slots(components);
        var adapter = new LoraAdapter(name, slots, device, dtype, trainable);
        adapter.Start(_ => true, seed);
        return adapter;
    }

    /// <summary>Draws the initial values of some layers, which hold zeros.</summary>
    internal void Start(Func<LoraLayer, bool> isNew, ulong seed)
    {
        using var noGradients = no_grad();
        using var generator = new Generator(seed, CPU);
        foreach (var layer in _layers.Where(isNew))
        {
            // A layer at a time: DoRA's magnitudes need copies of the layer's weight.
            using var scope = NewDisposeScope();
            Start(layer, generator);
        }
    }

    // What is not drawn stays zero: B, the last factor of LoHa, the first of LoKr.
    private static void Start(LoraLayer layer, Generator generator)
    {
        if (layer.Update is LoraWeights weights)
        {
            weights.A.copy_(randn(weights.A.shape, ScalarType.Float32, CPU, generator: generator).div(KeptScalar.Of(layer.Rank)));
            if (weights is DoraWeights dora)
                dora.Magnitude.copy_(dora.Norms(layer.Linear.Original(), 0));
            return;
        }

        foreach (var ((name, shape), tensor) in layer.Parts.Entries.Zip(layer.Update.Tensors))
        {
            // PEFT's kaiming_uniform with a = √5: from -1/√columns to 1/√columns.
            if (name is not ("hada_w2_b" or "lokr_w1"))
                tensor.copy_(rand(shape, ScalarType.Float32, CPU, generator: generator).mul(KeptScalar.Of(2)).sub(KeptScalar.One)
                    .div(KeptScalar.Of(Math.Sqrt(shape[1]))));
        }
    }

    /// <summary>Checks that <see cref="Create"/> will find the layers of some settings.</summary>
    /// <exception cref="LabException">A model has no such layer or block.</exception>
    internal static void Check(IEnumerable<(LoraComponent Component, LoraConfig Config)> components) => _ = LoraMatch.Slots(components);

    /// <summary>Creates an adapter for given layers with zero matrices, to be filled from a file.</summary>
    internal static LoraAdapter Allocate(string name, IReadOnlyList<Slot> slots, Device device, ScalarType dtype, bool trainable) =>
        new(name, slots, device, dtype, trainable);

    /// <summary>
    /// Makes the models compute with a copy of the matrices in another element type, while the matrices themselves stay in float32 for the
    /// optimizer: one conversion for all of them instead of one for each in each pass. Does nothing where the types are equal.
    /// </summary>
    /// <param name="dtype">Element type of the models' compute.</param>
    public void ComputeIn(ScalarType dtype)
    {
        // The other variants convert what they need in each pass.
        var isPlain = _layers.TrueForAll(layer => layer.Update is LoraWeights { IsPlain: true });
        if (dtype == Parameters.dtype || _copy?.dtype == dtype || !isPlain)
            return;
        FreeComputeCopy();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var length = _layers.Sum(layer => Padded(layer.Rank) * (layer.Linear.InFeatures + layer.Linear.OutFeatures));
        var isPadded = length > Parameters.numel();
        _copy = zeros([length], dtype, Parameters.device).DetachFromDisposeScope();
        _copyGradients = Gradients is null ? null : zeros_like(_copy).DetachFromDisposeScope();
        var places = new List<Tensor>();
        long offset = 0;
        foreach (var layer in _layers)
        {
            long rank = layer.Rank, padded = Padded(rank);
            if (isPadded)
                places.Add(KeptScalar.Range(offset, offset + (rank * layer.Linear.InFeatures), ScalarType.Int64, Parameters.device));
            var a = View(_copy, _copyGradients, ref offset, [padded, layer.Linear.InFeatures]);
            var rows = KeptScalar.Range(offset, offset + (padded * layer.Linear.OutFeatures), ScalarType.Int64, Parameters.device, padded);
            if (isPadded)
                places.Add(rows.unsqueeze(1).add(KeptScalar.Range(0, rank, ScalarType.Int64, Parameters.device), KeptScalar.One).flatten());
            layer.Weights.Copy = (a, View(_copy, _copyGradients, ref offset, [layer.Linear.OutFeatures, padded]));
        }

        if (isPadded)
            _places = cat(places).DetachFromDisposeScope();
        RefreshComputeCopy();
    }

    /// <summary>Updates the copy that the models compute with; needed after every change of the matrices.</summary>
    public void RefreshComputeCopy()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        if (_places is null)
            _copy?.copy_(Parameters);
        else
            _copy!.index_copy_(0, _places, Parameters.to(_copy.dtype));
    }

    /// <summary>Clears <see cref="Gradients"/>, and what a pass that failed has left behind in the copy's.</summary>
    public void ClearGradients()
    {
        using var noGradients = no_grad();
        Gradients?.zero_();
        _copyGradients?.zero_();
    }

    /// <summary>Adds the gradients that have reached the copy to <see cref="Gradients"/>, and clears them there.</summary>
    public void CollectGradients()
    {
        if (_copyGradients is null)
            return;
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Gradients!.add_(_places is null ? _copyGradients : _copyGradients.index_select(0, _places), KeptScalar.One);
        _copyGradients.zero_();
    }

    /// <summary>Adds the update to the models' weights, which makes a forward as fast as without an adapter.</summary>
    /// <exception cref="LabException">A memory mode has a model's weights in memory only while they are used.</exception>
    public void Fuse() => SetFused(true);

    /// <summary>Subtracts the update from the models' weights again (equal up to rounding).</summary>
    public void Unfuse() => SetFused(false);

    /// <summary>Removes the adapter from the models (unfusing it) and frees its matrices.</summary>
    public void Dispose()
    {
        Unfuse();
        foreach (var layer in _layers)
        {
            layer.Linear.Detach(Name);
            foreach (var tensor in layer.Update.Tensors)
                tensor.Dispose();
        }

        FreeComputeCopy();
        _layers.Clear();
        Parameters.Dispose();
        Gradients?.Dispose();
    }

    private void SetFused(bool fused)
    {
        if (fused == IsFused)
            return;
        if (_layers.Find(layer => layer.Linear.IsOnDemand) is { } passing)
            throw new LabException(
                $"Adapter '{Name}' cannot be fused: the weights of {passing.Component} are in memory only while they are used, and the "
                + "change would go with them. Load the pipeline with memory mode fast.");
        foreach (var layer in _layers)
        {
            layer.Linear.Fuse(layer.Update, fused ? layer.Factor * _weight : 0);
            layer.Update.Scale = fused ? 0 : layer.Factor * _weight;
        }

        IsFused = fused;
    }

    // Products of 16-bit matrices are fast where rows begin at multiples of 16 bytes: the copy's rank is 8 or more, and what is added is
    // zero, as are its gradients. Where that makes it larger, the places of the matrices' own elements are listed.
    internal static long Padded(long rank) => Math.Max(rank, 8);

    // The matrix is a leaf of its own that shares the buffer's memory; autograd adds into the gradient it finds there.
    private static Tensor View(Tensor values, Tensor? gradients, ref long offset, long[] shape)
    {
        using var scope = NewDisposeScope();
        var count = LoraParts.Count(shape);
        var view = values.narrow(0, offset, count).view(shape).detach().requires_grad_(gradients is not null);
        if (gradients is not null)
            view.grad = gradients.narrow(0, offset, count).view(shape);
        offset += count;
        return view.DetachFromDisposeScope();
    }

    private void FreeComputeCopy()
    {
        foreach (var weights in _layers.Select(layer => layer.Update).OfType<LoraWeights>().Where(weights => weights.Copy is not null))
        {
            weights.Copy!.Value.A.Dispose();
            weights.Copy!.Value.B.Dispose();
            weights.Copy = null;
        }

        _copy?.Dispose();
        _copyGradients?.Dispose();
        _places?.Dispose();
        (_copy, _copyGradients, _places) = (null, null, null);
    }

    /// <summary>One layer to be adapted.</summary>
    internal sealed record Slot(
        string Component, string Path, AdaptedLayer Linear, LoraParts Parts, int Rank, double Alpha, double Factor, double Dropout = 0);
}
