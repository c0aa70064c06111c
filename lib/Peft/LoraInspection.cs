using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>What a LoRA file holds, told without a model.</summary>
internal sealed record LoraInspection
{
    /// <summary>The file.</summary>
    public required string File { get; init; }

    /// <summary>All tensors in the file.</summary>
    public required int Tensors { get; init; }

    /// <summary>Names of tensors that are no part of an update that is known here.</summary>
    public required IReadOnlyList<string> Unused { get; init; }

    /// <summary>The layers, in the order of the file.</summary>
    public required IReadOnlyList<LoraInspectedLayer> Layers { get; init; }

    /// <summary>The header's texts, and PEFT's configuration where it lies beside the file.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>What has no effect or is odd, one sentence each.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Names of tensors with values that are not finite; null where values were not read.</summary>
    public IReadOnlyList<string>? NotFinite { get; init; }

    /// <summary>How much each block of each model is changed; empty where values were not read or are not finite.</summary>
    public IReadOnlyList<LoraBlockStrength> Blocks =>
    [
        .. Layers.Where(layer => layer.Strength is not null).GroupBy(layer => (layer.Component, layer.Block))
            .OrderBy(group => group.Key.Component, StringComparer.Ordinal).ThenBy(group => group.Key.Block)
            .Select(group => new LoraBlockStrength(
                group.Key.Component,
                group.Key.Block is { } block ? string.Create(CultureInfo.InvariantCulture, $"block {block}") : "outside blocks",
                Math.Sqrt(group.Sum(layer => layer.Strength!.Value * layer.Strength.Value)))),
    ];

    /// <summary>Reads a file.</summary>
    /// <param name="path">A file of any layout, or a folder that holds one.</param>
    /// <param name="deep">Whether all values are read: the strength of layers, values that are not finite.</param>
    /// <exception cref="LabException">There is no such file, it is damaged, or a layer's tensors do not go together.</exception>
    public static LoraInspection Read(string path, bool deep = false)
    {
        var file = LoraFile.Resolve(path);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var checkpoint = Checkpoint.Open(file);
        var metadata = LoraMetadata.Read(checkpoint, file);
        var keys = LoraKeys.Read(checkpoint, file, isLayer: null);
        string[]? wrong = deep ? [.. checkpoint.Names.Where(name => !IsFinite(checkpoint, name))] : null;
        var readers = keys.Layers.Values.Select(layer => LoraLayerReader.Read(checkpoint, file, layer))
            .Where(reader => !reader.IsEmpty).ToList();
        var layers = readers.Select(reader => Layer(reader, metadata, deep && wrong!.Length == 0)).ToList();
        var report = keys.Layers.Count == 0 ? null : LoraFile.Report(checkpoint, file, keys, metadata, readers);
        return new LoraInspection
        {
            File = file,
            Tensors = checkpoint.Names.Count,
            Unused = report?.UnmatchedKeys ?? [.. checkpoint.Names],
            Layers = layers,
            Metadata = checkpoint.Metadata,
            Warnings = report?.Warnings ?? [$"{file} holds no LoRA of Stable Diffusion 3: {LoraLayout.Describe(checkpoint.Names)}."],
            NotFinite = wrong,
        };
    }

    /// <summary>The published model whose transformer has layers of this width; null where none is known.</summary>
    public string? BaseModel
    {
        get
        {
            var own = Layers.Where(layer => layer.Component == "transformer").ToList();
            var width = own.Find(layer => layer.Path.EndsWith("attn.to_q", StringComparison.Ordinal))?.In;
            return width switch
            {
                1536 => own.Exists(layer => layer.Path.Contains("attn2.", StringComparison.Ordinal))
                    ? "Stable Diffusion 3.5 medium" : "Stable Diffusion 3 medium or 3.5 medium",
                2432 => "Stable Diffusion 3.5 large",
                _ => null,
            };
        }
    }

    private static LoraInspectedLayer Layer(LoraLayerReader reader, LoraMetadata metadata, bool measure)
    {
        var (component, path, _, layout) = reader.Target;
        var (rank, alpha, factor) = metadata.ScaleOf(reader);
        var (height, width) = reader.Size2D;
        return new LoraInspectedLayer(component, path, layout, reader.Parts.Variant, rank, alpha, factor, height, width)
        {
            Strength = measure ? Strength(reader, rank, factor) : null,
        };
    }

    private static double Strength(LoraLayerReader reader, int rank, double factor)
    {
        using var scope = NewDisposeScope();
        var tensors = reader.Parts.Entries.Select(entry => reader.Load(entry.Name)).ToList();
        return LoraChange.Norm(reader.Parts.Build("inspected", tensors, rank, factor), factor);
    }

    private static bool IsFinite(Checkpoint checkpoint, string name)
    {
        using var scope = NewDisposeScope();
        var values = checkpoint.Load(name);
        return !values.is_floating_point() || FiniteCheck.IsFinite(values);
    }
}
