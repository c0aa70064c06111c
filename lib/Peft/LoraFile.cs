using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>
/// LoRA files in the form of diffusers and PEFT: keys <c>transformer.….lora_A.weight</c>, optionally a layer's <c>.alpha</c>, the header
/// entry <c>lora_adapter_metadata</c> with rank and alpha, or PEFT's <c>adapter_config.json</c> beside <c>adapter_model.safetensors</c>. A
/// tensor's alpha takes precedence over the metadata's; without either, alpha equals the rank, as diffusers assumes. Every tensor is used
/// or named in a warning.
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

    /// <summary>Saves an adapter's matrices, in float32, and its rank and alpha where they differ.</summary>
    /// <param name="path">The file; written atomically.</param>
    /// <param name="adapter">The adapter.</param>
    /// <exception cref="NonFiniteException">A matrix is not finite; a file that is there stays.</exception>
    public static void Save(string path, LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        FiniteCheck.Require(adapter.Parameters, $"The LoRA '{adapter.Name}', which was to be written to {path},");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var tensors = adapter.Layers.SelectMany(layer => new KeyValuePair<string, Tensor>[]
        {
            new($"{layer.Key}.lora_A.weight", layer.Weights.A.detach().to(ScalarType.Float32)),
            new($"{layer.Key}.lora_B.weight", layer.Weights.B.detach().to(ScalarType.Float32)),
        });
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        LoraMetadata.Add(adapter, metadata);
        SafetensorsWriter.Save(path, tensors, metadata);
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
        var linears = components
            .SelectMany(component => component.Module.named_modules().Where(entry => entry.module is LoraLinear)
                .Select(entry => (component.Prefix, Path: entry.name, Linear: (LoraLinear)entry.module)))
            .ToDictionary(entry => $"{entry.Prefix}.{entry.Path}");
        LoraLayout.RefuseMagnitudes(checkpoint.Names, file);
        var metadata = LoraMetadata.Read(checkpoint, file);
        var keys = LoraKeys.Read(checkpoint, file, linears.ContainsKey);
        var matched = linears.Where(entry => keys.Pairs.ContainsKey(entry.Key)).ToList();
        if (matched.Count == 0)
        {
            throw new LabException(
                $"{file} fits none of the models ({string.Join(", ", components.Select(c => c.Prefix))}): " +
                $"{LoraLayout.Describe(checkpoint.Names)}. Keys like transformer.transformer_blocks.0.attn.to_q.lora_A.weight are needed.");
        }

        var slots = matched.Select(entry => Slot(entry.Key, entry.Value, keys, checkpoint, file, metadata)).ToList();
        var report = Report(checkpoint, file, keys, metadata, matched);
        report = report with { Warnings = [.. report.Warnings, .. OddAlphas(slots, file)] };
        var adapter = LoraAdapter.Allocate(name, slots, device, dtype, trainable);
        try
        {
            Fill(adapter, keys, checkpoint, file);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }

        return (adapter, report);
    }

    /// <summary>Loads a file that <see cref="Save"/> wrote into an adapter of the same layers and ranks.</summary>
    /// <param name="path">The file.</param>
    /// <param name="adapter">Its matrices are replaced.</param>
    /// <exception cref="LabException">The file holds other layers or ranks, or values that are not finite; nothing is changed.</exception>
    public static void LoadInto(string path, LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        using var checkpoint = Checkpoint.Open(path);
        var matrices = adapter.Layers
            .SelectMany(
                layer => new[] { (Name: $"{layer.Key}.lora_A.weight", Matrix: layer.Weights.A),
                    (Name: $"{layer.Key}.lora_B.weight", Matrix: layer.Weights.B) })
            .ToDictionary(entry => entry.Name, entry => entry.Matrix, StringComparer.Ordinal);
        string[] wrong =
        [
            .. matrices.Keys.Except(checkpoint.Names).Select(name => $"{name} is missing"),
            .. checkpoint.Names.Except(matrices.Keys).Select(name => $"{name} is unexpected"),
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
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var stored = matrices.Keys.ToDictionary(name => name, name => checkpoint.Load(name, dtype: adapter.Parameters.dtype));
        foreach (var (name, values) in stored)
            FiniteCheck.Require(values, $"{path}: {name}");
        foreach (var (name, matrix) in matrices)
            matrix.copy_(stored[name]);

        adapter.RefreshComputeCopy();
    }

    private static LoraLoadReport Report(
        Checkpoint checkpoint, string file, LoraKeys keys, LoraMetadata metadata,
        IReadOnlyCollection<KeyValuePair<string, (string Prefix, string Path, LoraLinear Linear)>> matched)
    {
        string?[] TensorsOf(string layer) => [keys.Pairs[layer].A, keys.Pairs[layer].B, keys.Alphas.GetValueOrDefault(layer)];
        var used = matched.SelectMany(entry => TensorsOf(entry.Key)).OfType<string>().ToHashSet(StringComparer.Ordinal);
        string[] unused = [.. checkpoint.Names.Where(name => !used.Contains(name)).Order(StringComparer.Ordinal)];
        var layers = matched.Select(entry => (entry.Value.Prefix, entry.Value.Path, keys.Pairs[entry.Key].Written)).ToList();
        string[] ofTensors = unused.Length == 0
            ? []
            : [$"{file}: {unused.Length} of its {checkpoint.Names.Count} tensors are not used ({LoraLayout.DescribeUnused(unused)})."];
        var perModel = layers.GroupBy(layer => layer.Prefix).ToDictionary(group => group.Key, group => group.Count());
        return new LoraLoadReport(checkpoint.Names.Count, used.Count, perModel, unused)
        {
            Warnings = [.. ofTensors, .. metadata.Warnings(layers)],
        };
    }

    private static IEnumerable<string> OddAlphas(List<LoraAdapter.Slot> slots, string file)
    {
        foreach (var (isOdd, effect) in new (Func<double, bool>, string)[]
        {
            (alpha => alpha == 0, "have no effect"), (alpha => alpha < 0, "do the opposite of what was trained"),
        })
        {
            string[] layers = [.. slots.Where(slot => isOdd(slot.Alpha)).Select(slot => $"{slot.Component}.{slot.Path}")];
            if (layers.Length > 0)
            {
                yield return $"{file}: {layers.Length} of {slots.Count} layers have an alpha of 0 or less and {effect}: "
                    + $"{ShownText.Names(layers)}.";
            }
        }
    }

    private static void Fill(LoraAdapter adapter, LoraKeys keys, Checkpoint checkpoint, string file)
    {
        using var noGradients = no_grad();
        foreach (var layer in adapter.Layers)
        {
            var pair = keys.Pairs[layer.Key];
            foreach (var (name, matrix) in new[] { (pair.A, layer.Weights.A), (pair.B, layer.Weights.B) })
            {
                using var scope = NewDisposeScope();
                var stored = checkpoint.Load(name);
                FiniteCheck.Require(stored, $"{file}: {name}");
                matrix.copy_(stored);
                if (!FiniteCheck.IsFinite(matrix))
                    throw new NonFiniteException($"{file}: {name} has values beyond what {matrix.dtype} holds; load it in bf16 or fp32.");
            }
        }
    }

    private static LoraAdapter.Slot Slot(
        string key, (string Prefix, string Path, LoraLinear Linear) layer, LoraKeys keys, Checkpoint checkpoint, string file,
        LoraMetadata metadata)
    {
        var pair = keys.Pairs[key];
        long[] a = checkpoint.Entries[pair.A].Shape, b = checkpoint.Entries[pair.B].Shape;
        var (width, height) = (layer.Linear.InFeatures, layer.Linear.OutFeatures);
        if (a.Length != 2 || b.Length != 2 || a[0] != b[1] || a[0] < 1 || a[1] != width || b[0] != height)
        {
            throw new LabException(
                $"{file}: {pair.A} [{string.Join(", ", a)}] and {pair.B} [{string.Join(", ", b)}] do not fit {key}, a linear layer " +
                $"{width} → {height}; the file was made for another model.");
        }

        foreach (var name in new[] { pair.A, pair.B })
        {
            var type = checkpoint.Entries[name].DType;
            if (type is not (ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16))
                throw new LabException($"{file}: {name} is {type}; a floating-point type is needed.");
        }

        var rank = (int)a[0];
        var alpha = keys.AlphaOf(checkpoint, file, key) ?? metadata.AlphaOf(layer.Prefix, layer.Path, pair.Written, rank);
        if (!float.IsFinite((float)(alpha / rank)))
        {
            throw new NonFiniteException(
                FormattableString.Invariant($"{file}: the alpha of {key} is {alpha}, beyond float32; the rank ({rank}) is usual."));
        }

        return new LoraAdapter.Slot(layer.Prefix, layer.Path, layer.Linear, rank, alpha);
    }
}
