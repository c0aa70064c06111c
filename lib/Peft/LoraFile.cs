using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// LoRA files: read in every layout that <see cref="LoraFileLayout"/> lists, told by their contents; written in that of diffusers, with
/// keys <c>transformer.….lora_A.weight</c> and the header entry <c>lora_adapter_metadata</c> with ranks and alphas. A tensor's alpha
/// takes precedence over the metadata's, which may be PEFT's <c>adapter_config.json</c> beside <c>adapter_model.safetensors</c>; without
/// either, alpha equals the rank, as diffusers assumes. Every tensor is used or named in a warning.
/// </summary>
public static class LoraFile
{
    /// <summary>The file name that diffusers and the reference script use.</summary>
    public const string DefaultName = "pytorch_lora_weights.safetensors";

    /// <summary>The file name that PEFT uses.</summary>
    internal const string PeftName = "adapter_model.safetensors";

    /// <summary>Finds the file that a user's path means: the file itself, or the one LoRA file in a folder.</summary>
    /// <param name="path">A .safetensors file or a folder.</param>
    /// <exception cref="LabException">There is no such file, or the folder holds none or several.</exception>
    public static string Resolve(string path)
    {
        if (File.Exists(path))
            return path;
        if (!Directory.Exists(path))
            throw new LabException($"There is no LoRA file or folder at {path}.");
        if (new[] { DefaultName, PeftName }.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists) is { } standard)
            return standard;
        var files = Directory.GetFiles(path, "*.safetensors").Order(StringComparer.Ordinal).ToArray();
        if (files.Length == 1)
            return files[0];
        var others = files.Length == 0
            ? "no other .safetensors file"
            : $"{files.Length} .safetensors files: name one of {string.Join(", ", files.Select(Path.GetFileName))}";
        throw new LabException($"{path} holds no {DefaultName} and {others}.");
    }

    /// <summary>Saves an adapter's tensors, in float32, with ranks and alphas.</summary>
    /// <param name="path">The file; written atomically.</param>
    /// <param name="adapter">The adapter.</param>
    /// <exception cref="NonFiniteException">A matrix is not finite; a file that is there stays.</exception>
    public static void Save(string path, LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        FiniteCheck.Require(adapter.Parameters, $"The LoRA '{adapter.Name}', which was to be written to {path},");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (tensors, metadata) = Content(adapter);
        SafetensorsWriter.Save(path, tensors, metadata);
    }

    /// <summary>SHA-256 and length of the file that <see cref="Save"/> would write.</summary>
    /// <param name="adapter">The adapter.</param>
    internal static (string Sha256, long Bytes) Measure(LoraAdapter adapter)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (tensors, metadata) = Content(adapter);
        return SafetensorsWriter.Measure(tensors, metadata);
    }

    /// <summary>Loads a file as a new adapter on the models that it names.</summary>
    /// <param name="path">The file, or a folder that holds one.</param>
    /// <param name="name">The adapter's name.</param>
    /// <param name="components">The models that may be adapted.</param>
    /// <param name="device">Where the matrices go.</param>
    /// <param name="dtype">Element type of the matrices.</param>
    /// <param name="trainable">Whether gradients are kept.</param>
    /// <returns>The adapter and how the file fitted.</returns>
    /// <exception cref="LabException">
    /// No key fits the models, a shape is wrong, half of a pair is missing, or it is of a kind that is not known.
    /// </exception>
    /// <exception cref="NonFiniteException">A matrix is not finite, or not in <paramref name="dtype"/>.</exception>
    public static (LoraAdapter Adapter, LoraLoadReport Report) Load(
        string path, string name, IReadOnlyList<LoraComponent> components, Device device, ScalarType dtype, bool trainable = false)
    {
        ArgumentNullException.ThrowIfNull(components);
        var file = Resolve(path);
        using var checkpoint = Checkpoint.Open(file);
        var (slots, readers, report) = Fit(checkpoint, file, components);
        var adapter = LoraAdapter.Allocate(name, slots, device, dtype, trainable);
        try
        {
            Fill(adapter, readers, file);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }

        return (adapter, report);
    }

    /// <summary>The layers of some models that a file has an update for.</summary>
    internal static (IReadOnlyList<LoraAdapter.Slot> Slots, Dictionary<string, LoraLayerReader> Readers, LoraLoadReport Report) Fit(
        Checkpoint checkpoint, string file, IReadOnlyList<LoraComponent> components)
    {
        var linears = components
            .SelectMany(component => component.Module.named_modules().Where(entry => entry.module is AdaptedLayer)
                .Select(entry => (component.Prefix, Path: entry.name, Linear: (AdaptedLayer)entry.module)))
            .ToDictionary(entry => $"{entry.Prefix}.{entry.Path}");
        var metadata = LoraMetadata.Read(checkpoint, file);
        var keys = LoraKeys.Read(checkpoint, file, linears.ContainsKey);
        if (keys.Layers.Count == 0)
        {
            throw new LabException(
                $"{file} fits none of the models ({string.Join(", ", components.Select(c => c.Prefix))}): "
                + $"{LoraLayout.Describe(checkpoint.Names)}. A LoRA has keys like "
                + "transformer.transformer_blocks.0.attn.to_q.lora_A.weight, or another layout's names for the same layers.");
        }

        var readers = linears.Where(entry => keys.Layers.ContainsKey(entry.Key))
            .Select(entry => (entry.Key, Reader: LoraLayerReader.Read(checkpoint, file, keys.Layers[entry.Key])))
            .Where(entry => !entry.Reader.IsEmpty).ToDictionary(entry => entry.Key, entry => entry.Reader);
        var slots = readers.Select(entry => Slot(entry.Value, linears[entry.Key].Linear, file, metadata)).ToList();
        return (slots, readers, Report(checkpoint, file, keys, metadata, readers.Values));
    }

    /// <summary>Loads a file that <see cref="Save"/> wrote into an adapter of the same layers and ranks.</summary>
    /// <param name="path">The file.</param>
    /// <param name="adapter">Its matrices are replaced.</param>
    /// <exception cref="LabException">The file holds other layers or ranks, or values that are not finite; nothing is changed.</exception>
    public static void LoadInto(string path, LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        using var checkpoint = Checkpoint.Open(path);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var matrices = adapter.Layers.SelectMany(layer => layer.Named)
            .ToDictionary(entry => entry.Name, entry => entry.Value, StringComparer.Ordinal);
        var alphas = adapter.Layers.Select(LoraContent.Of)
            .SelectMany(layer => LoraLayoutWriter.AlphaOf(layer, layer.Key)).Select(entry => entry.Key);
        string[] wrong =
        [
            .. matrices.Keys.Except(checkpoint.Names).Select(name => $"{name} is missing"),
            .. checkpoint.Names.Except(matrices.Keys).Except(alphas).Select(name => $"{name} is unexpected"),
            .. matrices.Where(
                entry => checkpoint.Entries.TryGetValue(entry.Key, out var stored) && !stored.Shape.SequenceEqual(entry.Value.shape))
                .Select(
                    entry => $"{entry.Key} is [{string.Join(", ", checkpoint.Entries[entry.Key].Shape)}] instead of "
                        + $"[{string.Join(", ", entry.Value.shape)}]"),
        ];
        if (wrong.Length > 0)
            throw new LabException(
                $"{path} does not fit the adapter '{adapter.Name}': "
                + $"{string.Join("; ", wrong.Take(6))}{(wrong.Length > 6 ? $"; and {wrong.Length - 6} more" : string.Empty)}.");
        var stored = matrices.Keys.ToDictionary(name => name, name => checkpoint.Load(name, dtype: adapter.Parameters.dtype));
        foreach (var (name, values) in stored)
            FiniteCheck.Require(values, $"{path}: {name}");
        foreach (var (name, matrix) in matrices)
            matrix.copy_(stored[name]);
        // Save has multiplied the factor of whole factors into the first.
        foreach (var layer in adapter.Layers.Where(layer => LoraContent.Of(layer).IsWhole))
            layer.Update.Tensors[0].div_(KeptScalar.Of(layer.Factor));
        adapter.RefreshComputeCopy();
    }

    /// <summary>How a file's tensors are used, and what is odd about them.</summary>
    internal static LoraLoadReport Report(
        Checkpoint checkpoint, string file, LoraKeys keys, LoraMetadata metadata, IReadOnlyCollection<LoraLayerReader> readers)
    {
        if (readers.Count == 0)
            throw new LabException($"{file} holds only zeros: there is nothing to apply.");
        var used = keys.Layers.Values.SelectMany(layer => layer.Names.Values).ToHashSet(StringComparer.Ordinal);
        string[] unused = [.. checkpoint.Names.Where(name => !used.Contains(name)).Order(StringComparer.Ordinal)];
        var layers = readers.Select(reader => (reader.Target.Component, reader.Target.Path, reader.Written)).ToList();
        string[] ofTensors = unused.Length == 0
            ? []
            : [$"{file}: {unused.Length} of its {checkpoint.Names.Count} tensors are not used ({LoraLayout.DescribeUnused(unused)})."];
        var scales = readers.Select(reader => (Reader: reader, Scale: metadata.ScaleOf(reader))).ToList();
        (string, double)[] alphas = [.. scales.Select(layer => (layer.Reader.Target.Key, layer.Scale.Alpha))];
        var perModel = readers.GroupBy(reader => reader.Target.Component).ToDictionary(group => group.Key, group => group.Count());
        return new LoraLoadReport(checkpoint.Names.Count, used.Count, perModel, unused)
        {
            Warnings =
            [
                .. ofTensors, .. metadata.Warnings(layers, AssumesAlpha(readers)), .. LoraWarnings.Scales(alphas, file),
                .. metadata.Contradictions(readers), .. LoraWarnings.Magnitudes(readers, file),
                .. LoraWarnings.SplitQkv(scales.Select(layer => (layer.Reader, layer.Scale.Factor)), file),
            ],
            Layout = keys.Layers.Values.First().Target.Layout,
        };
    }

    private static (IEnumerable<KeyValuePair<string, Tensor>> Tensors, Dictionary<string, string> Metadata) Content(LoraAdapter adapter)
    {
        LoraContent[] layers = [.. adapter.Layers.Select(LoraContent.Of)];
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        LoraMetadata.Add(layers, metadata);
        var tensors = LoraLayoutWriter.Diffusers(layers);
        return (tensors.Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(ScalarType.Float32))), metadata);
    }

    private static bool AssumesAlpha(IEnumerable<LoraLayerReader> readers) => readers.Any(
        reader => reader.Alpha is null && reader.Target.Layout is LoraFileLayout.Diffusers or LoraFileLayout.Peft);

    /// <summary>Loads the values of the layers that a file has.</summary>
    internal static void Fill(LoraAdapter adapter, Dictionary<string, LoraLayerReader> readers, string file)
    {
        using var noGradients = no_grad();
        foreach (var layer in adapter.Layers.Where(layer => readers.ContainsKey(layer.Key)))
        {
            foreach (var (part, (name, values)) in layer.Parts.Entries.Select(entry => entry.Name).Zip(layer.Named))
            {
                using var scope = NewDisposeScope();
                values.copy_(readers[layer.Key].Load(part));
                if (!FiniteCheck.IsFinite(values))
                    throw new NonFiniteException($"{file}: {name} has values beyond what {values.dtype} holds; load it in bf16 or fp32.");
            }
        }
    }

    private static LoraAdapter.Slot Slot(LoraLayerReader reader, AdaptedLayer layer, string file, LoraMetadata metadata)
    {
        var (width, height) = (layer.InFeatures, layer.OutFeatures);
        if (reader.Size2D != (height, width))
        {
            throw new LabException(
                $"{file}: {reader.Description} do not fit {reader.Target.Key}, a linear layer {width} → {height}; the file was made for "
                + "another model.");
        }

        var (rank, alpha, factor) = metadata.ScaleOf(reader);
        var (component, path, _, _) = reader.Target;
        return new LoraAdapter.Slot(component, path, layer, reader.Parts, rank, alpha, factor, metadata.DropoutOf(component));
    }
}
