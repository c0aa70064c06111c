using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SD3Transformer2DModel _model = SD3Transformer2DModel.Load(
        Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Save_AlphaAndWeight_AreInTheMatrices()
    {
        using var adapter = Adapter();
        adapter.Weight = 0.5;
        var path = Path.Combine(_folder.Path, "exported.safetensors");
        LoraExport.Save(path, adapter);
        var (read, report) = LoraFile.Load(path, "read", [new LoraComponent("transformer", _model)], CPU, ScalarType.Float32);
        using (read)
        {
            Assert.Empty(report.UnmatchedKeys);
            Assert.All(read.Layers, layer => Assert.Equal(layer.Rank, layer.Alpha));
            using var scope = NewDisposeScope();
            for (var i = 0; i < adapter.Layers.Count; i++)
            {
                var expected = matmul(adapter.Layers[i].Weights.B, adapter.Layers[i].Weights.A) * (8.0 / 2 * 0.5);
                GoldenAssert.Close(expected, matmul(read.Layers[i].Weights.B, read.Layers[i].Weights.A), 1e-6, adapter.Layers[i].Key);
            }
        }
    }

    [Fact]
    public void Save_WhileTheModelComputesWithACopy_WritesTheMatricesThemselves()
    {
        using var adapter = Adapter();
        var paths = new[] { "file", "export", "file of a copy", "export of a copy" }.Select(
            name => Path.Combine(_folder.Path, name + ".safetensors")).ToArray();
        LoraFile.Save(paths[0], adapter);
        LoraExport.Save(paths[1], adapter);
        adapter.ComputeIn(ScalarType.BFloat16);
        Assert.True(adapter.Layers[0].Weights.Copy!.Value.A.shape[0] > adapter.Layers[0].Rank);
        LoraFile.Save(paths[2], adapter);
        LoraExport.Save(paths[3], adapter);
        Assert.Equal(File.ReadAllBytes(paths[0]), File.ReadAllBytes(paths[2]));
        Assert.Equal(File.ReadAllBytes(paths[1]), File.ReadAllBytes(paths[3]));
    }

    [Fact]
    public void Measure_AnAdapter_GivesTheNormOfTheWholeUpdate()
    {
        using var adapter = Adapter();
        var change = LoraChange.Measure(adapter)[0];
        using var scope = NewDisposeScope();
        var layer = adapter.Layers[0];
        Assert.Equal((matmul(layer.Weights.B, layer.Weights.A) * 4).norm().item<float>(), change.UpdateNorm, 1e-3 * change.UpdateNorm);
        Assert.Equal(layer.Linear.Weight.norm().item<float>(), change.WeightNorm, 1e-5);
        Assert.Equal((0, "attn.to_q"), (change.Block, change.Kind));
        Assert.Equal(_model.Config.NumLayers, LoraChange.ByBlock(LoraChange.Measure(adapter), "transformer").Count);
    }

    private LoraAdapter Adapter()
    {
        var adapter = LoraAdapter.Create(
            "a", [(new LoraComponent("transformer", _model), new LoraConfig { Rank = 2, LoraAlpha = 8, TargetModules = ["attn.to_q"] })], 1,
            CPU, ScalarType.Float32, trainable: false);
        using var noGradients = no_grad();
        foreach (var layer in adapter.Layers)
            layer.Weights.B.normal_();
        return adapter;
    }
}
