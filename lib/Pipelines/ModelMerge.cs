using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Writes a model with LoRAs in its weights. Every file keeps its names, shapes and element types, and the values that no LoRA changes keep
/// every bit; one tensor at a time is in memory.
/// </summary>
/// <param name="loras">The LoRAs with their weights.</param>
/// <param name="cancellation">Ends the work between two tensors; nothing is left behind.</param>
internal sealed class ModelMerge(IReadOnlyList<(LoraContents Contents, double Weight)> loras, CancellationToken cancellation)
{
    /// <summary>Written beside a merged file, or in a merged folder: what it was made from.</summary>
    public const string OriginName = "lora_merge.json";

    // A miniature's list of its files' sums; of a merged folder it would say that it is damaged.
    private const string SumsName = "MANIFEST.json";

    private const int CopyChunk = 1 << 20;

    // Weights in other forms than safetensors, which would not be merged.
    private static readonly string[] OtherWeights = [".bin", ".pt", ".ckpt", ".msgpack", ".h5", ".onnx", ".gguf"];

    private readonly ILookup<string, (LoraContent Content, double Weight)> _updates = loras.Where(lora => lora.Weight != 0)
        .SelectMany(lora => lora.Contents.Layers.Select(layer => (Content: layer, lora.Weight)))
        .ToLookup(update => update.Content.Key, StringComparer.Ordinal);

    /// <summary>Writes the model.</summary>
    /// <param name="model">A folder in the published layout, or one file in the original layout.</param>
    /// <param name="output">A folder that is not there or empty, or a file; as the model is.</param>
    /// <param name="origin">What is written as <see cref="OriginName"/>.</param>
    /// <param name="onFile">Receives a sentence about each file of weights.</param>
    /// <returns>Files that are left out, one sentence each.</returns>
    /// <exception cref="LabException">The LoRAs do not fit the model, or the output cannot be written.</exception>
    public IReadOnlyList<string> Run(string model, string output, JsonObject origin, Action<string> onFile)
    {
        if (_updates.Count == 0)
            throw new LabException("Every LoRA has the weight 0: there is nothing to merge.");
        if (Directory.Exists(model))
            return Folder(model, output, origin, onFile);
        if (!File.Exists(model))
            throw new LabException($"There is no model folder or file at {model}.");
        if (Directory.Exists(output))
            throw new LabException($"{output} is a folder, and {model} is a file: name a file for the output.");
        var parameters = ModelTensors.OfOriginal(model);
        Require(model, parameters.SelectMany(group => group));
        var changed = Write(model, output, parameters);
        JsonFile.Write($"{output}.{OriginName}", origin);
        onFile($"{output}: {changed} of its tensors are changed");
        return [];
    }

    private List<string> Folder(string model, string path, JsonObject origin, Action<string> onFile)
    {
        var output = Path.TrimEndingDirectorySeparator(path);
        _ = ModelIndex.Read(model);
        if (File.Exists(output) || (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any()))
            throw new LabException($"{output} exists and is not empty; name another folder for the merged model.");
        if (RealPath.IsWithin(output, model))
            throw new LabException($"{output} lies in {model}, the model that is read; name a folder outside.");
        var components = _updates.Select(group => group.Key.Split('.')[0]).ToHashSet(StringComparer.Ordinal);
        var files = Directory.GetFiles(model, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(model, file)).Order(StringComparer.Ordinal).ToList();
        var weights = files.Where(file => Component(file) is { } component && components.Contains(component) && IsWeights(file))
            .ToDictionary(file => file, file => Parameters(Path.Combine(model, file), Component(file)!), StringComparer.Ordinal);
        Require(model, weights.Values.SelectMany(parameters => parameters.SelectMany(group => group)));
        var left = files.Where(file => Component(file) is { } component && components.Contains(component)
            && OtherWeights.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)).ToList();
        var temporary = AtomicFile.TemporaryBeside(output);
        try
        {
            foreach (var file in files.Except([.. left, SumsName]))
            {
                cancellation.ThrowIfCancellationRequested();
                var target = Path.Combine(temporary, file);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                if (!weights.TryGetValue(file, out var parameters))
                {
                    File.Copy(Path.Combine(model, file), target);
                    continue;
                }

                var changed = Write(Path.Combine(model, file), target, parameters);
                onFile($"{Path.Combine(output, file)}: {changed} of its tensors are changed");
            }

            JsonFile.Write(Path.Combine(temporary, OriginName), origin);
            if (Directory.Exists(output))
                Directory.Delete(output);
            Directory.Move(temporary, output);
        }
        catch
        {
            if (Directory.Exists(temporary))
                Directory.Delete(temporary, recursive: true);
            throw;
        }

        return
        [
            .. left.Select(file => $"{file} is left out: weights in that form are not merged."),
            .. files.Where(file => file == SumsName)
                .Select(file => $"{file} is left out: it holds the sums of the files before."),
        ];
    }

    // Every layer must be somewhere, and a bias where an update has one.
    private void Require(string model, IEnumerable<ModelTensors.Parameter> parameters)
    {
        var there = parameters.Select(parameter => (parameter.Key, parameter.IsBias)).ToHashSet();
        string[] missing =
        [
            .. _updates.Where(group => !there.Contains((group.Key, false))).Select(group => group.Key),
            .. _updates.Where(group => group.Any(update => update.Content[LoraParts.Bias] is not null)
                && !there.Contains((group.Key, true))).Select(group => $"{group.Key} (its bias)"),
        ];
        if (missing.Length > 0)
            throw new LabException($"{model} lacks {missing.Length} of the layers that the LoRA changes: {ShownText.Names(missing)}.");
    }

    private static string? Component(string file) =>
        Path.GetDirectoryName(file) is { Length: > 0 } folder && !folder.Contains(Path.DirectorySeparatorChar) ? folder : null;

    private static bool IsWeights(string file) => file.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase);

    private static ILookup<string, ModelTensors.Parameter> Parameters(string path, string component)
    {
        using var file = SafetensorsFile.Open(path);
        return ModelTensors.OfFolder(file, component);
    }

    private int Write(string source, string target, ILookup<string, ModelTensors.Parameter> parameters)
    {
        var merged = new MergedTensor(_updates);
        using var file = SafetensorsFile.Open(source);
        var changed = file.Tensors.Values.Where(entry => parameters[entry.Name].Any(merged.Changes))
            .OrderBy(entry => entry.Offset).ToList();
        if (changed.Find(entry => entry.Float8 is not null) is { } small)
        {
            throw new LabException(
                $"{source} stores {small} in 8 bits, in which a LoRA would be lost; merge into the model in bf16, fp16 or fp32.");
        }

        AtomicFile.Write(target, stream =>
        {
            using var old = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, CopyChunk);
            foreach (var entry in changed)
            {
                cancellation.ThrowIfCancellationRequested();
                Copy(old, stream, entry.Offset);
                // Opened for each: a file keeps the pages that were read of it in memory.
                using var one = SafetensorsFile.Open(source);
                using var values = merged.Of(one, entry, parameters[entry.Name]);
                SafetensorsWriter.WriteTensor(stream, values);
                old.Position = entry.Offset + entry.ByteLength;
            }

            Copy(old, stream, old.Length);
        });
        return changed.Count;
    }

    private static void Copy(FileStream from, FileStream to, long end)
    {
        var buffer = new byte[CopyChunk];
        while (from.Position < end)
        {
            var count = (int)Math.Min(buffer.Length, end - from.Position);
            from.ReadExactly(buffer, 0, count);
            to.Write(buffer, 0, count);
        }
    }
}
