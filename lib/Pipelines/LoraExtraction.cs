using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Makes a LoRA of the difference between two models: each layer's nearest change of its rank. Weights stay mapped in their files, and one
/// layer's difference at a time is in memory.
/// </summary>
/// <param name="choice">The ranks.</param>
/// <param name="cancellation">Ends the work between two layers.</param>
internal sealed class LoraExtraction(LoraRankChoice choice, CancellationToken cancellation)
{
    private const string Weight = ".weight";

    private readonly List<LoraResizedLayer> _layers = [];
    private readonly List<string> _others = [];
    private readonly List<string> _alone = [];

    /// <summary>The layers of the LoRA, with their errors.</summary>
    public IReadOnlyList<LoraResizedLayer> Layers => _layers;

    /// <summary>What of the difference is not in the LoRA, one sentence each.</summary>
    public IEnumerable<string> Warnings
    {
        get
        {
            if (_others.Count > 0)
            {
                yield return $"{_others.Count} tensors that differ are biases, or of no layer that a LoRA changes: "
                    + $"{ShownText.Names(_others)}.";
            }

            if (_alone.Count > 0)
                yield return $"{_alone.Count} components or tensors are in one model alone and not compared: {ShownText.Names(_alone)}.";
        }
    }

    /// <summary>Compares the models.</summary>
    /// <param name="tuned">What the LoRA shall lead to.</param>
    /// <param name="baseModel">What it starts from.</param>
    /// <param name="onLayer">Receives each layer that differs.</param>
    /// <exception cref="LabException">The models have other sizes, or do not differ.</exception>
    public LoraContents Run(ModelWeights tuned, ModelWeights baseModel, Action<LoraResizedLayer> onLayer)
    {
        choice.Validate();
        using var noGradients = no_grad();
        using var outer = NewDisposeScope();
        var made = new List<LoraContent>();
        _alone.AddRange(tuned.Components.Keys.Concat(baseModel.Components.Keys).GroupBy(name => name)
            .Where(group => group.Count() == 1).Select(group => group.Key));
        foreach (var (component, source) in tuned.Components)
        {
            if (!baseModel.Components.TryGetValue(component, out var other))
                continue;
            foreach (var name in Shared(component, source, other))
            {
                cancellation.ThrowIfCancellationRequested();
                using var scope = NewDisposeScope();
                if (Difference(component, name, source, other) is not { } difference)
                    continue;
                var (layer, told) = Extracted(component, name[..^Weight.Length], difference);
                made.Add(layer with { Tensors = [.. layer.Tensors.Select(tensor => tensor.MoveToOuterDisposeScope())] });
                _layers.Add(told);
                onLayer(told);
            }
        }

        return made.Count > 0 ? LoraContents.Of(made) : throw new LabException(
            "The models do not differ in any layer that a LoRA changes: there is nothing to extract.");
    }

    private List<string> Shared(string component, ITensorSource source, ITensorSource other)
    {
        _alone.AddRange(source.Entries.Keys.Except(other.Entries.Keys).Concat(other.Entries.Keys.Except(source.Entries.Keys))
            .Select(name => $"{component}.{name}"));
        var shared = source.Entries.Keys.Where(other.Entries.ContainsKey).Order(StringComparer.Ordinal).ToList();
        foreach (var name in shared)
        {
            if (!source.Entries[name].Shape.SequenceEqual(other.Entries[name].Shape))
                throw new LabException(
                    $"The models have other sizes: {source.Path} has {source.Entries[name]}, {other.Path} {other.Entries[name]}.");
        }

        return shared;
    }

    // As [out, in] in Float64; null where there is none, or where no LoRA holds it.
    private Tensor? Difference(string component, string name, ITensorSource source, ITensorSource other)
    {
        var (after, before) = (source.Load(name), other.Load(name));
        if (after.dtype == before.dtype && after.eq(before).all().item<bool>())
            return null;
        var difference = after.to(ScalarType.Float64).sub(before.to(ScalarType.Float64));
        if (difference.count_nonzero().item<long>() == 0)
            return null;
        FiniteCheck.Require(difference, $"{component}.{name} of {source.Path} less that of {other.Path}");
        var isLayer = name.EndsWith(Weight, StringComparison.Ordinal) && difference.dim() > 1
            && LoraNames.Find($"{component}.{name[..^Weight.Length]}").Any(target => target.Path == name[..^Weight.Length]);
        if (isLayer)
            return difference.reshape(difference.shape[0], -1);
        _others.Add($"{component}.{name}");
        return null;
    }

    private (LoraContent Layer, LoraResizedLayer Told) Extracted(string component, string path, Tensor difference)
    {
        var spectrum = LoraSpectrum.OfGram(difference);
        var rank = choice.Of(spectrum);
        var change = spectrum.Keep(rank);
        Tensor[] tensors = [change.Down.to(ScalarType.Float32).contiguous(), change.Up.to(ScalarType.Float32).contiguous()];
        rank = (int)change.Inner;
        var parts = new LoraParts([(LoraParts.A, tensors[0].shape), (LoraParts.B, tensors[1].shape)]);
        var layer = new LoraContent(component, path, parts, rank, rank, 1, tensors);
        return (layer, new LoraResizedLayer(layer with { Tensors = [] }, rank, spectrum.ErrorAt(rank), spectrum.Norm));
    }
}
