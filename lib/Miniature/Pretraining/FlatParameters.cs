using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// All trainable parameters of one or more models as one flat float32 tensor, with one of gradients and one of moving averages, so
/// that an optimizer, a norm or an average is a handful of operations. The models compute with views of it, or, in another element
/// type, with views of a flat copy that <see cref="Publish"/> refreshes.
/// </summary>
internal sealed class FlatParameters : IDisposable
{
    private const long ShardBytes = 14 << 20;

    private const string Blocks = "transformer_blocks.";

    // Parameters begin at multiples of so many elements, as tensors of their own would: kernels read eight and more at once.
    private const long Alignment = 64;

    private readonly List<Slot> _slots = [];
    private readonly Tensor _compute;
    private readonly Tensor _computeGradients;

    /// <summary>Moves the models' parameters into flat tensors; values stay what they are.</summary>
    /// <param name="models">
    /// The models with prefixes of their parameters' names; modules whose parameters belong to <see cref="IParameterOwner"/>s.
    /// </param>
    /// <param name="device">Where the flat tensors and, from now on, the models live.</param>
    /// <param name="dtype">Element type that the models compute in.</param>
    /// <param name="isFixed">Full names of parameters that are not trained; they move to the device by themselves.</param>
    public FlatParameters(
        IReadOnlyList<(string Prefix, nn.Module Model)> models, Device device, ScalarType dtype, Func<string, bool>? isFixed = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var owners = models.SelectMany(model => Owners(model.Prefix, model.Model)).ToList();
        long length = 0;
        foreach (var (owner, name, path, value) in owners.Where(entry => isFixed?.Invoke(entry.Path) != true))
        {
            _slots.Add(new Slot(path, owner, name, length, value.shape));
            length += (value.numel() + Alignment - 1) / Alignment * Alignment;
        }

        Count = _slots.Sum(slot => slot.Length);
        Values = zeros([length], ScalarType.Float32, device).DetachFromDisposeScope();
        foreach (var (slot, (_, _, _, value)) in _slots.Zip(owners.Where(entry => isFixed?.Invoke(entry.Path) != true)))
            slot.View(Values).copy_(value.detach());
        Averages = Values.clone().DetachFromDisposeScope();
        Gradients = zeros_like(Values).DetachFromDisposeScope();
        _compute = dtype == ScalarType.Float32 ? Values : Values.to(dtype).DetachFromDisposeScope();
        _computeGradients = dtype == ScalarType.Float32 ? Gradients : zeros_like(_compute).DetachFromDisposeScope();
        foreach (var slot in _slots)
            Attach(slot);
        foreach (var (owner, name, path, value) in owners.Where(entry => isFixed?.Invoke(entry.Path) == true))
            owner.Assign(name, value.detach().to(dtype, device).clone());
    }

    /// <summary>All parameters, float32, <c>[N]</c>; between them lie zeros that nothing reads.</summary>
    public Tensor Values { get; }

    /// <summary>Their gradients after <see cref="CollectGradients"/>, float32, <c>[N]</c>.</summary>
    public Tensor Gradients { get; }

    /// <summary>Their moving averages, float32, <c>[N]</c>.</summary>
    public Tensor Averages { get; }

    /// <summary>Number of parameters.</summary>
    public long Count { get; }

    /// <summary>Length of the flat tensors, N.</summary>
    public long Length => Values.numel();

    /// <summary>Names and shapes in the order in which they lie.</summary>
    public string Layout => string.Join('\n', _slots.Select(slot => $"{slot.Path} {string.Join('x', slot.Shape)}"));

    /// <summary>Names, first elements and shapes, in that order.</summary>
    internal IEnumerable<(string Path, long Offset, long[] Shape)> Places => _slots.Select(slot => (slot.Path, slot.Offset, slot.Shape));

    /// <summary>Sets the gradients to zero before a backward pass.</summary>
    public void ZeroGradients()
    {
        Gradients.zero_();
        if (!ReferenceEquals(Gradients, _computeGradients))
            _computeGradients.zero_();
    }

    /// <summary>Copies the gradients of a backward pass to <see cref="Gradients"/>.</summary>
    public void CollectGradients()
    {
        if (!ReferenceEquals(Gradients, _computeGradients))
            Gradients.copy_(_computeGradients);
    }

    /// <summary>Makes the models compute with the current <see cref="Values"/>.</summary>
    public void Publish()
    {
        if (ReferenceEquals(Values, _compute))
            return;
        using var noGradients = no_grad();
        _compute.copy_(Values);
    }

    /// <summary>Moves the averages towards the values.</summary>
    /// <param name="decay">Part of the old average that stays.</param>
    public void Average(double decay)
    {
        using var noGradients = no_grad();
        using TorchSharp.Scalar kept = KeptScalar.Once(decay), taken = KeptScalar.Once(1 - decay);
        Averages.mul_(kept).add_(Values, taken);
    }

    /// <summary>Makes the models compute with the averages during a measurement.</summary>
    /// <param name="measure">What is done meanwhile.</param>
    public T WithAverages<T>(Func<T> measure)
    {
        ArgumentNullException.ThrowIfNull(measure);
        using var noGradients = no_grad();
        using var kept = _compute.clone();
        _compute.copy_(Averages);
        try
        {
            return measure();
        }
        finally
        {
            _compute.copy_(kept);
        }
    }

    /// <summary>The parameters of one model by their names within it.</summary>
    /// <param name="flat"><see cref="Values"/> or <see cref="Averages"/>.</param>
    /// <param name="prefix">The model's prefix.</param>
    /// <returns>Views.</returns>
    public IReadOnlyDictionary<string, Tensor> Of(Tensor flat, string prefix) => _slots
        .Where(slot => slot.Path.StartsWith(prefix + ".", StringComparison.Ordinal))
        .ToDictionary(slot => slot.Path[(prefix.Length + 1)..], slot => slot.View(flat));

    /// <summary>Writes values and averages as <c>NAME-values-1.safetensors</c> and so on, float32, each file below 15 MiB.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">First part of the files' names.</param>
    /// <exception cref="NonFiniteException">A value is not finite; files that are there stay.</exception>
    public void Save(string folder, string name)
    {
        using var scope = NewDisposeScope();
        FiniteCheck.Require(Values, $"The weights '{name}', which were to be written to {folder},");
        FiniteCheck.Require(Averages, $"The averages of '{name}', which were to be written to {folder},");
        foreach (var (kind, flat) in new[] { ("values", Values), ("averages", Averages) })
        {
            var shards = new List<List<Slot>>();
            long bytes = ShardBytes;
            foreach (var slot in _slots)
            {
                if (bytes + slot.Length * sizeof(float) > ShardBytes)
                {
                    shards.Add([]);
                    bytes = 0;
                }

                shards[^1].Add(slot);
                bytes += slot.Length * sizeof(float);
            }

            for (var i = 0; i < shards.Count; i++)
                SafetensorsWriter.Save(
                    Path.Combine(folder, $"{name}-{kind}-{i + 1}.safetensors"),
                    shards[i].Select(slot => KeyValuePair.Create(slot.Path, slot.View(flat))));
        }
    }

    /// <summary>Takes over values and averages that <see cref="Save"/> wrote.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">First part of the files' names.</param>
    /// <exception cref="LabException">A parameter is missing or has another shape.</exception>
    public void Load(string folder, string name)
    {
        using var noGradients = no_grad();
        foreach (var (kind, flat) in new[] { ("values", Values), ("averages", Averages) })
        {
            var missing = _slots.ToDictionary(slot => slot.Path, StringComparer.Ordinal);
            string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, $"{name}-{kind}-*.safetensors") : [];
            foreach (var path in files.Order(StringComparer.Ordinal))
            {
                using var scope = NewDisposeScope();
                using var file = Checkpoint.Open(path);
                foreach (var entry in file.Names.Where(missing.ContainsKey))
                {
                    var view = missing[entry].View(flat);
                    var value = file.Load(entry);
                    if (!view.shape.AsSpan().SequenceEqual(value.shape))
                        throw new LabException(
                            $"{path}: {entry} has shape [{string.Join(", ", value.shape)}]; [{string.Join(", ", view.shape)}] is needed.");
                    view.copy_(value);
                    missing.Remove(entry);
                }
            }

            if (missing.Count > 0)
                throw new LabException(
                    $"{folder} lacks {missing.Count} of the {name} {kind}, among them {missing.Keys.First()}. Files named "
                    + $"{name}-{kind}-1.safetensors and so on are needed.");
        }

        Publish();
    }

    /// <summary>
    /// Takes over the weights of a model folder, as values and as averages. What it lacks keeps its values, but for the last product of
    /// every block
    /// that it lacks, which becomes zero: residual blocks then pass on what they are given.
    /// </summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="whole">Whether blocks, too, must all be there.</param>
    /// <exception cref="LabException">A parameter has another shape, or the folder lacks one that it must have.</exception>
    public void Begin(string folder, bool whole = false)
    {
        using var noGradients = no_grad();
        foreach (var part in _slots.GroupBy(slot => slot.Path[..slot.Path.IndexOf('.', StringComparison.Ordinal)]))
        {
            using var scope = NewDisposeScope();
            using var file = Checkpoint.OpenFolder(Path.Combine(folder, part.Key), part.Key is "vae" or "transformer"
                ? "diffusion_pytorch_model" : "model");
            var (ours, theirs) = (LastBlock(part.Select(slot => slot.Path[(part.Key.Length + 1)..])), LastBlock(file.Names));
            foreach (var slot in part)
                Begin(slot, InFolder(slot.Path[(part.Key.Length + 1)..], ours, theirs), file, whole);
        }

        Averages.copy_(Values);
        Publish();
    }

    /// <summary>Frees the flat tensors.</summary>
    public void Dispose()
    {
        if (!ReferenceEquals(Values, _compute))
        {
            _compute.Dispose();
            _computeGradients.Dispose();
        }

        Values.Dispose();
        Gradients.Dispose();
        Averages.Dispose();
    }

    private static int LastBlock(IEnumerable<string> names) =>
        names.Where(name => name.StartsWith(Blocks, StringComparison.Ordinal)).Select(BlockOf).DefaultIfEmpty(-1).Max();

    private static int BlockOf(string name) =>
        int.Parse(name[Blocks.Length..name.IndexOf('.', Blocks.Length)], CultureInfo.InvariantCulture);

    // The last block of a transformer has no way back to the text: it stays the last, and new ones come before it.
    private static string InFolder(string name, int ours, int theirs)
    {
        if (!name.StartsWith(Blocks, StringComparison.Ordinal) || ours <= theirs || BlockOf(name) < theirs)
            return name;
        var rest = name[name.IndexOf('.', Blocks.Length)..];
        return BlockOf(name) == ours ? $"{Blocks}{theirs}{rest}" : $"{Blocks}{ours}{rest}";
    }

    private void Begin(Slot slot, string name, Checkpoint file, bool whole)
    {
        var view = slot.View(Values);
        if (file.Names.Contains(name))
        {
            var value = file.Load(name);
            if (!view.shape.AsSpan().SequenceEqual(value.shape))
                throw new LabException(
                    $"{file.Path}: {name} has shape [{string.Join(", ", value.shape)}]; [{string.Join(", ", view.shape)}] is needed.");
            view.copy_(value);
        }
        else if (whole || (!name.Contains(".resnets.", StringComparison.Ordinal) && !name.StartsWith(Blocks, StringComparison.Ordinal)))
        {
            throw new LabException($"{file.Path} lacks {name}.{(whole ? "" : " Only blocks can be missing in a model to begin with.")}");
        }
        else if (name.Contains(".conv2.", StringComparison.Ordinal))
        {
            view.zero_();
        }
    }

    // A parameter is a leaf of its own that shares the flat tensor's memory; autograd adds into the gradient it finds there.
    private void Attach(Slot slot)
    {
        slot.Owner.Assign(slot.Name, slot.View(_compute).detach());
        var parameter = ((nn.Module)slot.Owner).named_parameters(recurse: false).Single(entry => entry.name == slot.Name).parameter;
        parameter.requires_grad_(true);
        parameter.grad = slot.View(_computeGradients).DetachFromDisposeScope();
    }

    private static IEnumerable<(IParameterOwner Owner, string Name, string Path, Tensor Value)> Owners(string prefix, nn.Module model) =>
        from entry in StateDictLoader.Owners(model)
        select (entry.Owner, entry.Name, $"{prefix}.{entry.Path}", entry.Value);

    private sealed record Slot(string Path, IParameterOwner Owner, string Name, long Offset, long[] Shape)
    {
        public long Length => Shape.Aggregate(1L, (product, size) => product * size);

        public Tensor View(Tensor flat) => flat.narrow(0, Offset, Length).view(Shape);
    }
}
