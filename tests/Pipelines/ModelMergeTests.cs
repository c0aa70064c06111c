using System.Text.Json.Nodes;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Peft;
using Dreambooth.Lab.Tests.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class ModelMergeTests : IDisposable
{
    private const string Queries = "transformer_blocks.0.attn.to_q";

    private readonly string _root = Directory.CreateTempSubdirectory("lab-merge-").FullName;
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly OriginalFile _original;

    public ModelMergeTests() => _original = new OriginalFile(At("published"));

    public void Dispose()
    {
        _scope.Dispose();
        _original.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Run_AFolder_HasEveryBitOfFusedAdaptersAndKeepsTheRest()
    {
        LoraContents[] loras = [Lora(1, Adapted), Lora(2, [(Queries, LoraVariant.Loha)])];
        using var pipeline = StableDiffusion3Pipeline.Load(
            _original.Folder, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root });
        foreach (var (lora, weight) in loras.Zip([0.5, -1.5]))
        {
            LoraExport.Save(At("lora.safetensors"), lora, "diffusers");
            pipeline.LoadLora(At("lora.safetensors"), weight);
            pipeline.Adapters[^1].Fuse();
        }

        var lines = new List<string>();
        Merge(loras, _original.Folder, At("merged"), lines);
        Assert.Equal(
            [$"{At("merged/text_encoder/model.safetensors")}: 1 of its tensors are changed",
                $"{At("merged/transformer/diffusion_pytorch_model.safetensors")}: 6 of its tensors are changed"], lines);
        using ModelWeights before = ModelWeights.Open(_original.Folder), after = ModelWeights.Open(At("merged"));
        foreach (var (component, module) in new (string, nn.Module)[]
        {
            ("transformer", pipeline.Transformer), ("text_encoder", pipeline.Prompts.Clip),
        })
        {
            var fused = StateDictLoader.StateDict(module);
            Assert.All(fused, entry =>
                GoldenAssert.Exact(entry.Value.to(ScalarType.BFloat16), after.Components[component].Load(entry.Key), entry.Key));
            Assert.Equal(component == "transformer" ? 6 : 1, fused.Keys.Count(
                name => !after.Components[component].Load(name).eq(before.Components[component].Load(name)).all().item<bool>()));
        }

        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_original.Folder, "vae", "config.json")), File.ReadAllBytes(At("merged/vae/config.json")));
        Assert.Equal("test", (string?)JsonNode.Parse(File.ReadAllText(At("merged/lora_merge.json")))!["made_by"]);
    }

    [Fact]
    public void Run_OneFile_IsTheMergedFolderInTheOriginalLayout()
    {
        OriginalFile.Save(At("model.safetensors"), ScalarType.BFloat16, Parts);
        LoraContents[] loras =
        [
            Lora(1, [.. Adapted, ("pos_embed.proj", LoraVariant.Lora), ("norm_out.linear", LoraVariant.Lora),
                ($"transformer_blocks.{_original.Preset.Transformer.NumLayers - 1}.norm1_context.linear", LoraVariant.Lokr)]),
        ];
        Merge(loras, _original.Folder, At("merged"));
        Merge(loras, At("model.safetensors"), At("merged.safetensors"));
        using ModelWeights folder = ModelWeights.Open(At("merged")), file = ModelWeights.Open(At("merged.safetensors"));
        foreach (var component in new[] { "transformer", "text_encoder", "text_encoder_2" })
        {
            Assert.Equal(folder.Components[component].Entries.Keys.Order(), file.Components[component].Entries.Keys.Order());
            Assert.All(folder.Components[component].Entries.Keys, name => GoldenAssert.Exact(
                folder.Components[component].Load(name), file.Components[component].Load(name), name));
        }

        using SafetensorsFile one = SafetensorsFile.Open(At("model.safetensors")), two = SafetensorsFile.Open(At("merged.safetensors"));
        Assert.Equal(
            one.Tensors.Values.Select(entry => $"{entry} {entry.Offset}"), two.Tensors.Values.Select(entry => $"{entry} {entry.Offset}"));
        Assert.True(File.Exists(At("merged.safetensors.lora_merge.json")));
    }

    [Fact]
    public void Extract_AMergedModel_GivesTheLoraBack()
    {
        OriginalFile.Save(At("model.safetensors"), ScalarType.Float32, Parts);
        (string, LoraVariant)[] layers = [(Queries, LoraVariant.Lora), ("transformer_blocks.1.ff.net.0.proj", LoraVariant.Lora)];
        using var lora = Lora(1, layers);
        Merge([lora], At("model.safetensors"), At("tuned.safetensors"));
        using ModelWeights tuned = ModelWeights.Open(At("tuned.safetensors")), before = ModelWeights.Open(At("model.safetensors"));
        var extraction = new LoraExtraction(new LoraRankChoice(2, null), CancellationToken.None);
        var told = new List<LoraResizedLayer>();
        using var back = extraction.Run(tuned, before, told.Add);
        Assert.Equal(layers.Select(layer => $"transformer.{layer.Item1}"), told.Select(layer => layer.Before.Key).Order());
        Assert.All(told, layer => Assert.True(layer.Error < 1e-5, $"{layer.Before.Key}: {layer.Error}"));
        Assert.Empty(extraction.Warnings);
        var difference = LoraDifference.Between(lora, back, CancellationToken.None);
        Assert.True(difference.Relative < 1e-5, $"{difference.Relative}");
        Assert.All(back.Layers, layer => Assert.Equal((2, 2d, 1d), (layer.Rank, layer.Alpha, layer.Factor)));
        Assert.Contains("nothing to extract", Assert.Throws<LabException>(
            () => new LoraExtraction(new LoraRankChoice(1, null), CancellationToken.None).Run(before, before, _ => { })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Run_AMiniature_MakesAFolderThatIsNotCalledDamaged()
    {
        MiniatureFolder.WriteManifest(_original.Folder);
        using var lora = Lora(1, [(Queries, LoraVariant.Lora)]);
        var left = new ModelMerge([(lora, 1)], CancellationToken.None).Run(_original.Folder, At("merged"), [], _ => { });
        Assert.Contains($"{MiniatureFolder.ManifestName} is left out", Assert.Single(left), StringComparison.Ordinal);
        MiniatureFolder.VerifyIfListed(At("merged"));
    }

    [Fact]
    public void Run_WhatDoesNotFit_IsRefusedAndLeavesNothing()
    {
        using var lora = Lora(1, [(Queries, LoraVariant.Lora)]);
        var layer = lora.Layers[0];
        using var other = LoraContents.Of([layer with { Path = "transformer_blocks.99.attn.to_q" }]);
        Refused("lacks 1 of the layers that the LoRA changes: transformer.transformer_blocks.99", other, At("out"));
        using var wider = LoraContents.Of([layer with { Tensors = [cat([layer.Tensors[0], layer.Tensors[0]], 1), layer.Tensors[1]] }]);
        Refused("was made for another model", wider, At("out"));
        Refused("the model that is read; name a folder outside", lora, Path.Combine(_original.Folder, "out"));
        Refused("exists and is not empty", lora, _root);
        File.WriteAllText(Path.Combine(_original.Folder, "transformer", "diffusion_pytorch_model.bin"), "pickle");
        var left = new ModelMerge([(lora, 1)], CancellationToken.None).Run(
            _original.Folder, At("out") + Path.DirectorySeparatorChar, [], _ => { });
        Assert.Contains("diffusion_pytorch_model.bin is left out", Assert.Single(left), StringComparison.Ordinal);
        Directory.Delete(At("out"), recursive: true);
        Assert.Throws<OperationCanceledException>(
            () => new ModelMerge([(lora, 1)], new CancellationToken(canceled: true)).Run(_original.Folder, At("out"), [], _ => { }));
        Assert.Equal(["published"], Directory.GetFileSystemEntries(_root).Select(Path.GetFileName));
    }

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(LoraVariantTests.Adapters), MemberType = typeof(LoraVariantTests))]
    public void Run_ReferenceAdapter_MakesAModelWithItsOutputs(string name, string model)
    {
        LoraVariantTests.Load(model).Dispose();
        using var lora = LoraContents.Read(Path.Combine(LoraVariantTests.Variants, name));
        // In Float32, so that the sums are not rounded to what the model is stored in.
        var folder = At("wide");
        foreach (var file in Directory.GetFiles(GoldenSet.PathOf("pipelines", model), "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(folder, Path.GetRelativePath(GoldenSet.PathOf("pipelines", model), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (!file.EndsWith("diffusion_pytorch_model.safetensors", StringComparison.Ordinal))
            {
                File.Copy(file, target);
                continue;
            }

            using var stored = SafetensorsFile.Open(file);
            SafetensorsWriter.Save(
                target, stored.Tensors.Keys.Select(key => KeyValuePair.Create(key, stored.Load(key, dtype: ScalarType.Float32))));
        }

        Assert.Empty(new ModelMerge([(lora, 1)], CancellationToken.None).Run(folder, At("merged"), [], _ => { }));
        using var inputs = SafetensorsFile.Open(Path.Combine(LoraVariantTests.Variants, $"inputs.{model}.safetensors"));
        using var expected = SafetensorsFile.Open(Path.Combine(LoraVariantTests.Variants, $"{name}.safetensors"));
        using var noGradients = no_grad();
        using var merged = StableDiffusion3Pipeline.Load(
            At("merged"), new PipelineOptions { TokenizersFolder = TinyTokenizers.Root, WithT5 = false });
        GoldenAssert.Close(expected.Load("output"), LoraVariantTests.Forward(merged, inputs), 2e-5, name);
    }

    private static readonly (string Path, LoraVariant Variant)[] Adapted =
    [
        (Queries, LoraVariant.Dora), ("transformer_blocks.0.attn.to_k", LoraVariant.Loha),
        ("transformer_blocks.1.attn.to_v", LoraVariant.Lokr),
        ("transformer_blocks.1.ff.net.0.proj", LoraVariant.Lora), ("text_model.encoder.layers.0.self_attn.q_proj", LoraVariant.Lora),
        ("proj_out", LoraVariant.Lora),
    ];

    private (string, IEnumerable<(string, Tensor)>)[] Parts =>
    [
        (OriginalKeys.TransformerPrefix, _original.Transformer), (OriginalKeys.VaePrefix, _original.Vae),
        (OriginalKeys.ClipPrefix, _original.Clip), (OriginalKeys.Clip2Prefix, _original.Clip2), (OriginalKeys.T5Prefix, _original.T5),
    ];

    private string At(string name) => Path.Combine(_root, name);

    private LoraContents Lora(ulong seed, IEnumerable<(string Path, LoraVariant Variant)> layers)
    {
        using var weights = ModelWeights.Open(_original.Folder);
        var made = new List<LoraContent>();
        foreach (var (path, variant) in layers)
        {
            var component = path.StartsWith("text_model", StringComparison.Ordinal) ? "text_encoder" : "transformer";
            var shape = weights.Components[component].Entries[$"{path}.weight"].Shape;
            var config = new LoraConfig
            {
                Rank = 2,
                LoraAlpha = 1,
                Variant = variant,
                LoraBias = path == "proj_out",
                TargetModules = ["any"],
            };
            var parts = LoraParts.For(config, shape[0], LoraParts.Count(shape[1..]));
            var first = seed + (ulong)(made.Count * 10);
            made.Add(new LoraContent(component, path, parts, 2, 1, 0.5, [.. parts.Entries.Select((entry, i) =>
                entry.Name == LoraParts.Magnitude ? ones(entry.Shape) : SeededNoise.Normal(entry.Shape, first + (ulong)i, CPU))]));
        }

        return LoraContents.Of(made);
    }

    private static void Merge(LoraContents[] loras, string model, string output, List<string>? lines = null)
    {
        double[] weights = [0.5, -1.5];
        var merge = new ModelMerge([.. loras.Select((lora, i) => (lora, loras.Length == 1 ? 1 : weights[i]))], CancellationToken.None);
        Assert.Empty(merge.Run(model, output, new JsonObject { ["made_by"] = "test" }, line => lines?.Add(line)));
    }

    private void Refused(string message, LoraContents lora, string output) => Assert.Contains(
        message, Assert.Throws<LabException>(
            () => new ModelMerge([(lora, 1)], CancellationToken.None).Run(_original.Folder, output, [], _ => { })).Message,
        StringComparison.Ordinal);
}
