using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraFileTests : IDisposable
{
    private const string Layer = "transformer_blocks.0.attn.to_q";

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-lora-").FullName;
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load(withT5: false);
    private readonly DisposeScope _scope = NewDisposeScope();

    private long Width => _pipeline.Transformer.Config.InnerDim;

    public void Dispose()
    {
        _scope.Dispose();
        _pipeline.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void LoadInto_SavedFile_GivesItsMatrices()
    {
        var path = Path.Combine(_folder, "lora.safetensors");
        using var adapter = Create(null);
        var saved = Bytes(adapter.Parameters);
        LoraFile.Save(path, adapter);
        using (no_grad())
            adapter.Parameters.zero_();
        LoraFile.LoadInto(path, adapter);
        Assert.Equal(saved, Bytes(adapter.Parameters));
    }

    [Fact]
    public void LoadInto_AdapterWithACopyToComputeWith_RefreshesTheCopy()
    {
        var path = Path.Combine(_folder, "lora.safetensors");
        using var adapter = Create(null);
        using (no_grad())
            adapter.Parameters.fill_(0.5f);
        LoraFile.Save(path, adapter);
        using (no_grad())
            adapter.Parameters.zero_();
        adapter.ComputeIn(ScalarType.BFloat16);
        LoraFile.LoadInto(path, adapter);
        using var scope = NewDisposeScope();
        Assert.All(
            adapter.Layers,
            layer => Assert.Equal(
                0.5f, layer.Weights.In(ScalarType.BFloat16).B.narrow(1, 0, layer.Rank).to(ScalarType.Float32).min().item<float>()));
    }

    [Fact]
    public void LoadInto_OtherLayersOrRanks_IsRefusedAndChangesNothing()
    {
        var path = Path.Combine(_folder, "lora.safetensors");
        SafetensorsWriter.Save(path, new Dictionary<string, Tensor>
        {
            [$"transformer.{Layer}.lora_A.weight"] = zeros(9, Width),
            ["transformer.other.lora_B.weight"] = zeros(1, 1),
        });
        using var adapter = Create(null);
        var before = Bytes(adapter.Parameters);
        var message = Assert.Throws<LabException>(() => LoraFile.LoadInto(path, adapter)).Message;
        Assert.Contains($"transformer.{Layer}.lora_B.weight is missing", message, StringComparison.Ordinal);
        Assert.Matches("; and [0-9]+ more[.]$", message);
        Assert.Equal(before, Bytes(adapter.Parameters));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(6.0)]
    [InlineData(1.5)]
    public void Save_ThenLoad_GivesTheSameAdapter(double? alpha)
    {
        var path = Path.Combine(_folder, "lora.safetensors");
        var saved = new Dictionary<string, (double Alpha, byte[] A, byte[] B)>();
        using (var adapter = Create(alpha))
        {
            LoraFile.Save(path, adapter);
            foreach (var layer in adapter.Layers)
                saved.Add(layer.Key, (layer.Alpha, Bytes(layer.Weights.A), Bytes(layer.Weights.B)));
        }

        using (var file = SafetensorsFile.Open(path))
        {
            Assert.Equal("pt", file.Metadata["format"]);
            Assert.True(file.Metadata.ContainsKey("lora_adapter_metadata"));
        }

        var (loaded, report) = Load(path);
        using var result = loaded;
        Assert.Equal((2 * saved.Count, 2 * saved.Count), (report.FileTensors, report.MatchedTensors));
        Assert.Equal(saved.Keys.Order(), result.Layers.Select(layer => layer.Key).Order());
        Assert.All(result.Layers, layer =>
        {
            Assert.Equal(saved[layer.Key].Alpha, layer.Alpha);
            Assert.Equal(layer.Alpha / layer.Rank, layer.Weights.Scale);
            Assert.Equal(saved[layer.Key].A, Bytes(layer.Weights.A));
            Assert.Equal(saved[layer.Key].B, Bytes(layer.Weights.B));
        });
    }

    [Fact]
    public void Save_AlphasThatDiffer_AreKeptPerLayer()
    {
        var path = Path.Combine(_folder, "lora.safetensors");
        var component = _pipeline.LoraComponents[0];
        using (var adapter = LoraAdapter.Create(
            "a", [(component, Config(2, 8, "attn.to_q")), (component, Config(3, null, "attn.to_k"))], 0, CPU, ScalarType.Float32))
            LoraFile.Save(path, adapter);
        var (loaded, _) = Load(path);
        using var result = loaded;
        Assert.All(
            result.Layers,
            layer => Assert.Equal(layer.Path.EndsWith("to_q", StringComparison.Ordinal) ? (2, 8.0) : (3, 3.0), (layer.Rank, layer.Alpha)));
    }

    [Theory]
    [InlineData("transformer.", ".lora_A.weight", ".lora_B.weight")]
    [InlineData("transformer.", ".lora_A.default.weight", ".lora_B.default.weight")]
    [InlineData("transformer.", ".lora.down.weight", ".lora.up.weight")]
    [InlineData("transformer.", ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight")]
    [InlineData("base_model.model.transformer.", ".lora_A.weight", ".lora_B.weight")]
    [InlineData("base_model.model.", ".lora_A.weight", ".lora_B.weight")]
    [InlineData("", ".lora_A.my_adapter.weight", ".lora_B.my_adapter.weight")]
    public void Load_KeysOfEachForm_Match(string prefix, string down, string up)
    {
        var (a, b) = (randn(3, Width), randn(Width, 3));
        var (adapter, report) = Load(Write((prefix + Layer + down, a), (prefix + Layer + up, b)));
        using var loaded = adapter;
        Assert.Equal((2, 2), (report.FileTensors, report.MatchedTensors));
        var layer = Assert.Single(loaded.Layers);
        Assert.Equal(("transformer." + Layer, 3, 3.0), (layer.Key, layer.Rank, layer.Alpha));
        GoldenAssert.Exact(a, layer.Weights.A.detach());
        GoldenAssert.Exact(b, layer.Weights.B.detach());
    }

    [Fact]
    public void Load_KeysThatNoLayerTakes_AreReported()
    {
        var path = Write(
            ($"transformer.{Layer}.lora_A.weight", ones(1, Width)), ($"transformer.{Layer}.lora_B.weight", ones(Width, 1)),
            ("unet.down.0.lora_A.weight", ones(1, 4)), ("unet.down.0.lora_B.weight", ones(4, 1)), ("logit_scale", ones(1)));
        var report = _pipeline.LoadLora(path);
        Assert.Equal((5, 2), (report.FileTensors, report.MatchedTensors));
        Assert.Equal(["logit_scale", "unet.down.0.lora_A.weight", "unet.down.0.lora_B.weight"], report.UnmatchedKeys);
        Assert.StartsWith(
            "2 of 5 tensors matched (transformer: 1 layers); not used: logit_scale, unet.down.0.lora_A.weight",
            report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoKeyMatches_SaysWhatIsNeeded()
    {
        Refused(
            "fits none of the models (transformer, text_encoder, text_encoder_2): it holds updates of layers that the models lack",
            ("other.x.lora_A.weight", ones(1, 4)), ("other.x.lora_B.weight", ones(4, 1)));
        Refused("none of its 1 tensors is part of a LoRA; its keys look like weight", ("weight", ones(2)));
    }

    [Fact]
    public void Load_FileOfAnotherModel_SaysWhichLayerDoesNotFit()
    {
        Refused(
            "the file was made for another model", ($"transformer.{Layer}.lora_A.weight", ones(2, Width + 1)),
            ($"transformer.{Layer}.lora_B.weight", ones(Width, 2)));
        Refused(
            "the file was made for another model", ($"transformer.{Layer}.lora_A.weight", ones(2, Width)),
            ($"transformer.{Layer}.lora_B.weight", ones(Width, 3)));
        Refused(
            "a floating-point type is needed", ($"transformer.{Layer}.lora_A.weight", ones(2, Width)),
            ($"transformer.{Layer}.lora_B.weight", ones([Width, 2], ScalarType.Int32)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Load_ValueThatIsNotFinite_IsRefusedWithItsTensor(float value)
    {
        var broken = ones(Width, 2);
        broken[3, 1] = value;
        Refused(
            $"transformer.{Layer}.lora_B.weight is not finite in 1 of its {2 * Width} values",
            ($"transformer.{Layer}.lora_A.weight", ones(2, Width)), ($"transformer.{Layer}.lora_B.weight", broken));
        using var adapter = Create(null);
        var before = Bytes(adapter.Parameters);
        var path = Path.Combine(_folder, "whole.safetensors");
        LoraFile.Save(path, adapter);
        using (var file = SafetensorsFile.Open(path))
        {
            var tensors = file.Tensors.Keys.ToDictionary(name => name, name => file.Load(name).clone());
            tensors[$"transformer.{Layer}.lora_B.weight"][0, 0] = value;
            SafetensorsWriter.Save(path, tensors);
        }

        var error = Assert.Throws<NonFiniteException>(() => LoraFile.LoadInto(path, adapter));
        Assert.Contains("lora_B.weight is not finite", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Bytes(adapter.Parameters));
    }

    [Fact]
    public void Load_ValueBeyondTheElementType_IsRefused()
    {
        var path = Write(
            ($"transformer.{Layer}.lora_A.weight", ones(2, Width)), ($"transformer.{Layer}.lora_B.weight", full([Width, 2], 1e5f)));
        var error = Assert.Throws<NonFiniteException>(
            () => LoraFile.Load(path, "loaded", _pipeline.LoraComponents, CPU, ScalarType.Float16));
        Assert.Contains("beyond what Float16 holds", error.Message, StringComparison.Ordinal);
        Assert.Empty(_pipeline.Transformer.TransformerBlocks[0].Attn.ToQ.Adapters);
    }

    [Fact]
    public void Save_ValueThatIsNotFinite_IsRefusedAndTheOldFileStays()
    {
        using var adapter = Create(8);
        var paths = new[] { Path.Combine(_folder, "lora.safetensors"), Path.Combine(_folder, "export.safetensors") };
        LoraFile.Save(paths[0], adapter);
        LoraExport.Save(paths[1], adapter);
        var before = paths.Select(File.ReadAllBytes).ToArray();
        using (no_grad())
            adapter.Layers[0].Weights.B[0, 0] = float.NaN;
        Assert.Throws<NonFiniteException>(() => LoraFile.Save(paths[0], adapter));
        Assert.Throws<NonFiniteException>(() => LoraExport.Save(paths[1], adapter));
        Assert.Equal(before, paths.Select(File.ReadAllBytes));
    }

    [Fact]
    public void Load_HalfAPair_NamesTheLayer() =>
        Refused($"only one of the two matrices of transformer.{Layer}", ($"transformer.{Layer}.lora_A.weight", ones(2, Width)));

    [Theory]
    [InlineData("[1]", "lora_adapter_metadata is [1]; valid is a JSON object")]
    [InlineData("{", "lora_adapter_metadata is not")]
    [InlineData("""{"transformer.lora_alpha": "four"}""", "transformer.lora_alpha is \"four\"; valid is a finite number")]
    public void Load_DamagedMetadata_IsRefused(string metadata, string message)
    {
        var path = Path.Combine(_folder, "lora.safetensors");
        SafetensorsWriter.Save(
            path, [new($"transformer.{Layer}.lora_A.weight", ones(2, Width)), new($"transformer.{Layer}.lora_B.weight", ones(Width, 2))],
            new Dictionary<string, string> { ["lora_adapter_metadata"] = metadata });
        Assert.Contains(message, Assert.Throws<LabException>(() => Load(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_PeftFolder_TakesAlphaFromItsConfig()
    {
        SafetensorsWriter.Save(
            Path.Combine(_folder, "adapter_model.safetensors"),
            [new($"base_model.model.{Layer}.lora_A.weight", ones(2, Width)),
                new($"base_model.model.{Layer}.lora_B.weight", ones(Width, 2))]);
        var config = Path.Combine(_folder, "adapter_config.json");
        File.WriteAllText(config, """{"r": 2, "lora_alpha": 16, "use_rslora": false}""");
        var (adapter, _) = Load(_folder);
        Assert.Equal(8, Assert.Single(adapter.Layers).Weights.Scale);
        adapter.Dispose();
        File.WriteAllText(config, """{"r": 2, "lora_alpha": 16, "use_rslora": true}""");
        (adapter, _) = Load(_folder);
        Assert.Equal(16 / Math.Sqrt(2), Assert.Single(adapter.Layers).Weights.Scale);
        adapter.Dispose();
        File.WriteAllText(config, "[]");
        var error = Assert.Throws<LabException>(() => Load(_folder));
        Assert.Contains("adapter_config.json is []; valid is a JSON object", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_Folder_FindsTheOneFile()
    {
        Assert.Contains(
            "no other .safetensors file", Assert.Throws<LabException>(() => LoraFile.Resolve(_folder)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "There is no LoRA file or folder", Assert.Throws<LabException>(() => LoraFile.Resolve(Path.Combine(_folder, "none"))).Message,
            StringComparison.Ordinal);
        var only = Touch("b.safetensors");
        Assert.Equal((only, only), (LoraFile.Resolve(_folder), LoraFile.Resolve(only)));
        Touch("a.safetensors");
        Assert.Contains(
            "name one of a.safetensors, b.safetensors", Assert.Throws<LabException>(() => LoraFile.Resolve(_folder)).Message,
            StringComparison.Ordinal);
        Assert.Equal(Touch("adapter_model.safetensors"), LoraFile.Resolve(_folder));
        Assert.Equal(Touch(LoraFile.DefaultName), LoraFile.Resolve(_folder));
    }

    [Fact]
    public void LoadLora_AfterAnUnload_FindsAFreeName()
    {
        var path = Write(($"transformer.{Layer}.lora_A.weight", ones(1, Width)), ($"transformer.{Layer}.lora_B.weight", ones(Width, 1)));
        _pipeline.LoadLora(path);
        _pipeline.LoadLora(path, weight: 0.5);
        _pipeline.UnloadLora(_pipeline.Adapters[0]);
        _pipeline.LoadLora(path, weight: 0.25);
        Assert.Equal([("adapter_1", 0.5), ("adapter_0", 0.25)], _pipeline.Adapters.Select(adapter => (adapter.Name, adapter.Weight)));
    }

    private static LoraConfig Config(int rank, double? alpha, params string[] targets) => new()
    {
        Rank = rank,
        LoraAlpha = alpha,
        TargetModules = targets,
    };

    private static byte[] Bytes(Tensor values) => values.detach().contiguous().bytes.ToArray();

    private LoraAdapter Create(double? alpha)
    {
        var adapter = LoraAdapter.Create(
            "a", [(_pipeline.LoraComponents[0], Config(4, alpha, "attn.to_q", "ff.net.2")),
                (_pipeline.LoraComponents[1], Config(2, alpha, "q_proj"))], 1, CPU, ScalarType.Float32);
        using var noGradients = no_grad();
        adapter.Parameters.copy_(randn(adapter.Parameters.shape));
        return adapter;
    }

    private (LoraAdapter Adapter, LoraLoadReport Report) Load(string path) =>
        LoraFile.Load(path, "loaded", _pipeline.LoraComponents, CPU, ScalarType.Float32);

    private void Refused(string message, params (string Name, Tensor Value)[] tensors)
    {
        var error = Assert.ThrowsAny<LabException>(() => Load(Write(tensors)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Empty(_pipeline.Transformer.TransformerBlocks[0].Attn.ToQ.Adapters);
    }

    private string Write(params (string Name, Tensor Value)[] tensors)
    {
        var path = Path.Combine(_folder, "written.safetensors");
        SafetensorsWriter.Save(path, tensors.Select(entry => KeyValuePair.Create(entry.Name, entry.Value)));
        return path;
    }

    private string Touch(string name)
    {
        File.WriteAllBytes(Path.Combine(_folder, name), []);
        return Path.Combine(_folder, name);
    }
}
