using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>The updates of a LoRA file or an adapter, apart from any model: what is written in another layout.</summary>
internal sealed class LoraContents : IDisposable
{
    private LoraContents(IReadOnlyList<LoraContent> layers, IReadOnlyList<string> warnings) => (Layers, Warnings) = (layers, warnings);

    /// <summary>The file; empty where it is of an adapter or was made.</summary>
    public string File { get; private init; } = string.Empty;

    /// <summary>The header's texts.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private init; } = new Dictionary<string, string>();

    /// <summary>Tensors and metadata of the file that have no effect, and what is odd about it. One sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>How many layers it changes.</summary>
    public int LayerCount => Layers.Count;

    /// <summary>The updates.</summary>
    public IReadOnlyList<LoraContent> Layers { get; }

    /// <summary>Updates that were computed.</summary>
    /// <param name="layers">The updates; their tensors become its own.</param>
    public static LoraContents Of(IReadOnlyList<LoraContent> layers)
    {
        foreach (var tensor in layers.SelectMany(layer => layer.Tensors))
            tensor.DetachFromDisposeScope();
        return new LoraContents(layers, []);
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">A file of any layout that <see cref="LoraFileLayout"/> lists, or a folder that holds one.</param>
    /// <exception cref="LabException">Nothing in it is known, or a layer's tensors do not go together.</exception>
    /// <exception cref="NonFiniteException">A value is not finite.</exception>
    public static LoraContents Read(string path)
    {
        var file = LoraFile.Resolve(path);
        using var checkpoint = Checkpoint.Open(file);
        var metadata = LoraMetadata.Read(checkpoint, file);
        var keys = LoraKeys.Read(checkpoint, file, isLayer: null);
        if (keys.Layers.Count == 0)
            throw new LabException($"{file} holds no LoRA of Stable Diffusion 3: {LoraLayout.Describe(checkpoint.Names)}.");
        var readers = keys.Layers.Values.Select(layer => LoraLayerReader.Read(checkpoint, file, layer))
            .Where(reader => !reader.IsEmpty).ToList();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var layers = readers.Select(reader => Content(reader, metadata)).ToList();
        var report = LoraFile.Report(checkpoint, file, keys, metadata, readers);
        foreach (var tensor in layers.SelectMany(layer => layer.Tensors))
            tensor.DetachFromDisposeScope();
        return new LoraContents(layers, report.Warnings) { File = file, Metadata = checkpoint.Metadata };
    }

    /// <summary>What an adapter holds; its tensors are copied.</summary>
    /// <param name="adapter">The adapter.</param>
    public static LoraContents Of(LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        return new LoraContents(
            [.. adapter.Layers.Select(LoraContent.Of).Select(layer => layer with
            {
                Tensors = [.. layer.Tensors.Select(tensor => tensor.clone().DetachFromDisposeScope())],
            })], []);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in Layers.SelectMany(layer => layer.Tensors))
            tensor.Dispose();
    }

    private static LoraContent Content(LoraLayerReader reader, LoraMetadata metadata)
    {
        var (component, path, _, _) = reader.Target;
        var (rank, alpha, factor) = metadata.ScaleOf(reader);
        return new LoraContent(
            component, path, reader.Parts, rank, alpha, factor,
            [.. reader.Parts.Entries.Select(entry => reader.Load(entry.Name))], metadata.DropoutOf(component));
    }
}
