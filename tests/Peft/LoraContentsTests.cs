using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

/// <summary>The reference's adapters written in every layout: what comes back, and what the model then computes.</summary>
[Trait("Category", "Parity")]
public sealed class LoraContentsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(LoraVariantTests.Adapters), MemberType = typeof(LoraVariantTests))]
    public void Save_ReferenceAdapterInEveryLayout_GivesItsOutputs(string name, string model)
    {
        using var pipeline = LoraVariantTests.Load(model);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var inputs = SafetensorsFile.Open(Path.Combine(LoraVariantTests.Variants, $"inputs.{model}.safetensors"));
        using var expected = SafetensorsFile.Open(Path.Combine(LoraVariantTests.Variants, $"{name}.safetensors"));
        using var contents = LoraContents.Read(Path.Combine(LoraVariantTests.Variants, name));
        foreach (var layout in LoraExport.Layouts)
        {
            var path = Path.Combine(_folder.Path, layout);
            var isFused = layout is "kohya" or "comfyui";
            if (isFused && name == "dora_rslora_attn2_r2")
            {
                Assert.Throws<LabException>(() => LoraExport.Save(path, contents, layout));
                continue;
            }

            var losses = LoraExport.Save(path, contents, layout);
            var report = pipeline.LoadLora(path);
            Assert.Equal((report.FileTensors, 0), (report.MatchedTensors, report.Warnings.Count));
            GoldenAssert.Close(expected.Load("output"), LoraVariantTests.Forward(pipeline, inputs), 2e-5, $"{name} as {layout}");
            pipeline.UnloadLora(pipeline.Adapters[0]);
            using var back = LoraContents.Read(path);
            if (isFused && name == "patterns")
                Assert.Contains(losses, loss => loss.Contains("it has the sum of their ranks", StringComparison.Ordinal));
            else
                AssertEqual(contents, back, layout);
        }
    }

    [Theory]
    [InlineData("kohya/tiny-sd35m.default.safetensors", "kohya")]
    [InlineData("kohya/tiny-sd35m.emb_dims.safetensors", "kohya")]
    [InlineData("kohya/tiny-sd35m.from_diffusers.safetensors", "kohya")]
    [InlineData("kohya/tiny-sd35m.split_qkv.safetensors", "kohya")]
    [InlineData("kohya/tiny-sd3m.default.safetensors", "kohya")]
    [InlineData("comfyui/tiny-sd35m.lora_down_up_alpha.safetensors", "comfyui")]
    [InlineData("comfyui/tiny-sd3m.lora_down_up_alpha.safetensors", "comfyui")]
    public void Save_ReferenceFileInItsOwnLayout_IsTheSameBitForBit(string name, string layout)
    {
        var source = Path.Combine(LoraVariantTests.Variants, name);
        Assert.SkipUnless(File.Exists(source), "the second golden set is not here");
        var path = Path.Combine(_folder.Path, "written.safetensors");
        using var contents = LoraContents.Read(source);
        LoraExport.Save(path, contents, layout);
        using var expected = SafetensorsFile.Open(source);
        using var actual = SafetensorsFile.Open(path);
        Assert.Equal(expected.Tensors.Keys.Order(StringComparer.Ordinal), actual.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (var key in expected.Tensors.Keys)
            GoldenAssert.Exact(expected.Load(key), actual.Load(key), key);
    }

    [Theory]
    [InlineData("from_diffusers")]
    [InlineData("default")]
    [InlineData("emb_dims")]
    [InlineData("split_qkv")]
    public void Save_KohyasFileInEveryLayout_ComesBackTheSame(string kind)
    {
        var source = Path.Combine(LoraVariantTests.Variants, $"kohya/tiny-sd35m.{kind}.safetensors");
        Assert.SkipUnless(File.Exists(source), "the second golden set is not here");
        using var contents = LoraContents.Read(source);
        foreach (var layout in new[] { "diffusers", "comfyui", "kohya" })
        {
            var path = Path.Combine(_folder.Path, $"{layout}.safetensors");
            LoraExport.Save(path, contents, layout);
            using var back = LoraContents.Read(path);
            AssertEqual(contents, back, layout);
        }
    }

    [Fact]
    public void Save_SomeOfQueriesKeysAndValues_LeavesTheOthersOut()
    {
        using var lora = new WrittenLora();
        using var contents = LoraContents.Read(lora.Write(lora.Pair(WrittenLora.Layer)));
        var path = Path.Combine(_folder.Path, "kohya.safetensors");
        LoraExport.Save(path, contents, "kohya");
        using var back = LoraContents.Read(path);
        AssertEqual(contents, back, "kohya");
        lora.Load(path);
        Assert.Equal(WrittenLora.Layer, Assert.Single(lora.Pipeline.Adapters[0].Layers).Path);
    }

    [Fact]
    public void Save_DoraOfQueriesAlone_IsRefusedWhereTheThreeAreOne()
    {
        using var lora = new WrittenLora();
        using var contents = LoraContents.Read(lora.Write(
            [.. lora.Pair(WrittenLora.Layer), ($"transformer.{WrittenLora.Layer}.lora_magnitude_vector", ones(lora.Width))]));
        var error = Assert.Throws<LabException>(() => LoraExport.Save(Path.Combine(_folder.Path, "a"), contents, "comfyui"));
        Assert.Contains("the magnitudes of the others are those of the model's own weight", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("diffusers")]
    [InlineData("peft")]
    [InlineData("kohya")]
    [InlineData("comfyui")]
    public void Save_LokrOfTwoWholeFactors_KeepsItsChange(string layout)
    {
        using var lora = new WrittenLora();
        using var contents = LoraContents.Read(lora.WritePeft("""{"peft_type": "LOKR", "r": 8, "alpha": 16}""", Whole(lora)));
        var path = Path.Combine(_folder.Path, layout);
        var losses = LoraExport.Save(path, contents, layout);
        Assert.Equal(layout != "peft", losses.Any(loss => loss.Contains("multiplied into the first", StringComparison.Ordinal)));
        using var back = LoraContents.Read(path);
        using var scope = NewDisposeScope();
        Assert.Equal(2, contents.Layers[0].Factor);
        GoldenAssert.Exact(Change(contents), Change(back), layout);

        static Tensor Change(LoraContents of)
        {
            var layer = Assert.Single(of.Layers);
            return layer.Parts.Build("a", layer.Tensors, layer.Rank, layer.Factor).Change() * layer.Factor;
        }
    }

    [Fact]
    public void Save_WholeFactorsOfNoRank_HaveAnRWithWhichPeftKeepsThemWhole()
    {
        using var lora = new WrittenLora();
        using var contents = LoraContents.Read(lora.Write(Whole(lora)));
        Assert.Equal((1, 1.0), (contents.Layers[0].Rank, contents.Layers[0].Factor));
        LoraExport.Save(_folder.Path, contents, "peft");
        using var back = LoraContents.Read(_folder.Path);
        Assert.Equal(((lora.Width / 4) + 1) / 2, back.Layers[0].Rank);
        Assert.Equal(1, back.Layers[0].Factor);
    }

    [Fact]
    public void LoadInto_WholeFactorsThatWereSaved_GivesThemBack()
    {
        using var lora = new WrittenLora();
        lora.Load(lora.WritePeft("""{"peft_type": "LOKR", "r": 8, "alpha": 16}""", Whole(lora)));
        var path = Path.Combine(_folder.Path, "saved.safetensors");
        var adapter = lora.Pipeline.Adapters[0];
        using var before = adapter.Parameters.clone();
        LoraFile.Save(path, adapter);
        using (no_grad())
            adapter.Parameters.zero_();
        LoraFile.LoadInto(path, adapter);
        GoldenAssert.Exact(before, adapter.Parameters);
    }

    [Theory]
    [InlineData("diffusers")]
    [InlineData("peft")]
    public void Save_SomeLayersRankStabilised_KeepsEveryFactor(string layout)
    {
        using var lora = new WrittenLora();
        using var contents = LoraContents.Read(lora.WriteWith(
            """{"transformer.r": 4, "transformer.lora_alpha": 8, "transformer.use_rslora": true}""",
            [.. lora.Pair(WrittenLora.Layer, 4), .. lora.Pair(WrittenLora.OtherLayer, 4),
                ($"transformer.{WrittenLora.OtherLayer}.alpha", tensor(8f))]));
        Assert.Equal([4, 2], contents.Layers.Select(layer => layer.Factor));
        var path = Path.Combine(_folder.Path, layout);
        LoraExport.Save(path, contents, layout);
        using var back = LoraContents.Read(path);
        AssertEqual(contents, back, layout);
    }

    [Fact]
    public void Save_DropoutThatWasRead_IsWritten()
    {
        using var lora = new WrittenLora();
        var source = lora.WritePeft("""{"r": 2, "lora_alpha": 2, "lora_dropout": 0.1}""", lora.Pair(WrittenLora.Layer));
        using var contents = LoraContents.Read(source);
        LoraExport.Save(Path.Combine(_folder.Path, "peft"), contents, "peft");
        LoraExport.Save(Path.Combine(_folder.Path, "converted"), contents, "diffusers");
        lora.Load(source);
        LoraFile.Save(Path.Combine(_folder.Path, "saved"), lora.Pipeline.Adapters[0]);
        foreach (var name in new[] { "peft", "converted", "saved" })
        {
            using var back = LoraContents.Read(Path.Combine(_folder.Path, name));
            Assert.Equal(0.1, Assert.Single(back.Layers).Dropout);
        }
    }

    [Fact]
    public void Read_ALaterLayerNotFinite_LeavesNothingBehind()
    {
        using var lora = new WrittenLora();
        var other = lora.Pair(WrittenLora.OtherLayer);
        other[1].Value[0, 0] = float.NaN;
        var path = lora.Write([.. lora.Pair(WrittenLora.Layer), .. other]);
        Assert.Equal(0, LiveTensors.LeftBy(() => Assert.Throws<NonFiniteException>(() => LoraContents.Read(path))));
    }

    [Fact]
    public void Read_AnEncodersAdapterOfPeft_IsNotTakenForTheTransformers()
    {
        using var lora = new WrittenLora();
        const string Name = "transformer.text_model.encoder.layers.0.self_attn.q_proj";
        var path = lora.WritePeft("""{"r": 2}""", ($"{Name}.lora_A.weight", ones(2, 4)), ($"{Name}.lora_B.weight", ones(4, 2)));
        var error = Assert.Throws<LabException>(() => LoraContents.Read(path));
        Assert.Contains("a text encoder's LoRA in PEFT's layout", error.Message, StringComparison.Ordinal);
        Assert.Empty(LoraInspection.Read(path).Layers);
    }

    [Fact]
    public void Original_EveryLayer_IsNamedAsTheSingleFilesOfTheModel()
    {
        const int Blocks = 3;
        var mapping = OriginalLayout.Transformer(Blocks);
        foreach (var (published, original, part) in OriginalTransformer.Layers)
        {
            foreach (var block in Enumerable.Range(0, Blocks).Select(number => $"{number}"))
            {
                var stored = original.Replace("{n}", block, StringComparison.Ordinal) + ".weight";
                var wanted = published.Replace("{n}", block, StringComparison.Ordinal) + ".weight";
                var rule = Assert.Single(mapping.Find(stored), rule => rule.Published == wanted);
                var isSwapped = part == KeyPart.SwappedHalves && (published == "norm_out.linear" || block == $"{Blocks - 1}");
                Assert.Equal(isSwapped ? KeyPart.SwappedHalves : part == KeyPart.SwappedHalves ? KeyPart.Whole : part, rule.Part);
            }
        }
    }

    private static (string Name, Tensor Value)[] Whole(WrittenLora lora) =>
    [
        ($"transformer.{WrittenLora.Layer}.lokr_w1", arange(16).to(ScalarType.Float32).view(4, 4)),
        ($"transformer.{WrittenLora.Layer}.lokr_w2", ones(lora.Width / 4, lora.Width / 4)),
    ];

    private static void AssertEqual(LoraContents expected, LoraContents actual, string what)
    {
        var found = actual.Layers.ToDictionary(layer => layer.Key);
        Assert.Equal(expected.Layers.Select(layer => layer.Key).Order(), found.Keys.Order());
        foreach (var layer in expected.Layers)
        {
            var other = found[layer.Key];
            Assert.Equal((layer.Variant, layer.Rank), (other.Variant, other.Rank));
            Assert.Equal((float)layer.Factor, (float)other.Factor);
            foreach (var (name, value) in layer.Named)
                GoldenAssert.Exact(value, other[name]!, $"{layer.Key}.{name} as {what}");
        }
    }
}
