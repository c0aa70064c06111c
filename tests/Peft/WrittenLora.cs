using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

/// <summary>Writes LoRA files tensor by tensor and loads them onto the committed pipeline, for tests of what a file may hold.</summary>
internal sealed class WrittenLora : IDisposable
{
    public const string Layer = "transformer_blocks.0.attn.to_q";
    public const string OtherLayer = "transformer_blocks.1.attn.to_k";

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-lora-").FullName;
    private readonly DisposeScope _scope = NewDisposeScope();

    public StableDiffusion3Pipeline Pipeline { get; } = TinyPipeline.Load(withT5: false);

    public long Width => Pipeline.Transformer.Config.InnerDim;

    public void Dispose()
    {
        _scope.Dispose();
        Pipeline.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The two matrices of a layer, all ones.</summary>
    public (string Name, Tensor Value)[] Pair(string layer, int rank = 2) =>
        [($"transformer.{layer}.lora_A.weight", ones(rank, Width)), ($"transformer.{layer}.lora_B.weight", ones(Width, rank))];

    public string Write(params (string Name, Tensor Value)[] tensors) => WriteWith(null, tensors);

    public string WriteWith(string? header, params (string Name, Tensor Value)[] tensors)
    {
        var path = Path.Combine(_folder, "written.safetensors");
        SafetensorsWriter.Save(
            path, tensors.Select(entry => KeyValuePair.Create(entry.Name, entry.Value)),
            header is null ? null : new Dictionary<string, string> { ["lora_adapter_metadata"] = header });
        return path;
    }

    /// <summary>A folder as PEFT writes it; keys without the <c>transformer.</c> of <see cref="Pair"/>.</summary>
    public string WritePeft(string config, params (string Name, Tensor Value)[] tensors)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "peft")).FullName;
        SafetensorsWriter.Save(
            Path.Combine(folder, "adapter_model.safetensors"),
            tensors.Select(entry => KeyValuePair.Create("base_model.model." + entry.Name["transformer.".Length..], entry.Value)));
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), config);
        return folder;
    }

    public LoraLoadReport Load(string path)
    {
        foreach (var adapter in Pipeline.Adapters.ToArray())
            Pipeline.UnloadLora(adapter);
        return Pipeline.LoadLora(path);
    }

    /// <summary>The factor of each adapted layer's update, alpha / rank.</summary>
    public IReadOnlyDictionary<string, double> Scales() =>
        Pipeline.Adapters[0].Layers.ToDictionary(layer => layer.Path, layer => layer.Weights.Scale);

    /// <summary>Asserts that a file is refused with a message, and that the models carry nothing of it.</summary>
    public void Refused(string message, string path)
    {
        Assert.Contains(message, Assert.ThrowsAny<LabException>(() => Load(path)).Message, StringComparison.Ordinal);
        Assert.Empty(Pipeline.Transformer.TransformerBlocks[0].Attn.ToQ.Adapters);
    }
}
