using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.ImageEncoders;

public sealed class ViTModelTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<GoldenCase> Encodings => GoldenSet.Cases("vision", file => file.Has("cls"));

    public static TheoryData<GoldenCase> OtherSizes => GoldenSet.KeyCases("vision", @"^(?<case>other_\d+x\d+)\.cls$");

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Encodings))]
    public void Forward_GoldenPixels_EqualsTheReferenceAtEveryLayer(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = ViTModel.Load(EncoderFixture.Folder(golden), TestDevice.Device, ScalarType.Float32);
        var output = model.forward(EncoderFixture.Pixels(golden), outputHiddenStates: true);
        Assert.Equal(model.Config.NumHiddenLayers + 1, output.HiddenStates.Count);
        GoldenAssert.Close(golden.Load("cls"), output.Embedding, Tolerance, "cls");
        GoldenAssert.Close(golden.Load("last_hidden_state"), output.LastHiddenState, Tolerance, "last_hidden_state");
        EncoderFixture.CompareLayers(golden.LoadAll("hidden_states."), output, Tolerance);
        // Alone, the class token is all that the last layer computes.
        var alone = model.forward(EncoderFixture.Pixels(golden));
        Assert.Equal(1, alone.LastHiddenState.shape[1]);
        GoldenAssert.Close(golden.Load("cls"), alone.Embedding, Tolerance, "the class token alone");
    }

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(OtherSizes))]
    public void Forward_AnotherSize_InterpolatesThePositionsAsTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = ViTModel.Load(EncoderFixture.Folder(golden), TestDevice.Device, ScalarType.Float32);
        var pixels = golden.Load("pixel_values").Here();
        GoldenAssert.Close(golden.Load("embeddings"), model.Embeddings.call(pixels), Tolerance, "embeddings");
        GoldenAssert.Close(golden.Load("cls"), model.forward(pixels).Embedding, Tolerance, "cls");
    }

    [Theory]
    [InlineData("vit")]
    [InlineData("dinov2")]
    [InlineData("dinov2_with_registers")]
    public void Forward_Repeated_LeavesNoTensorBehind(string type)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = EncoderFixture.Random(new ViTModel(Small(type), CPU, ScalarType.Float32));
        var pixels = ones(2, 3, 12, 8);
        long Step()
        {
            using (NewDisposeScope())
                model.forward(pixels, outputHiddenStates: true);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }

        var first = Step();
        Assert.Equal(first, Step());
        Assert.Equal(first, Step());
    }

    [Theory]
    [InlineData("\"model_type\": \"resnet\"", "vit, dinov2 and dinov2_with_registers")]
    [InlineData("\"model_type\": \"dinov2\", \"use_swiglu_ffn\": true", "use_swiglu_ffn")]
    [InlineData("\"model_type\": \"vit\", \"num_attention_heads\": 7", "must divide hidden_size 768")]
    public void Read_WhatIsNotKnown_IsRefusedByName(string fields, string expected)
    {
        using var file = new EncoderFixture.JsonText($"{{{fields}}}");
        var error = Assert.Throws<LabException>(() => ViTConfig.Read(file.Path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    // What transformers' classes have where config.json says nothing; a saved config leaves out what equals them.
    [Theory]
    [InlineData("\"model_type\": \"vit\"", 16)]
    [InlineData("\"model_type\": \"dinov2\"", 14)]
    [InlineData("\"model_type\": \"dinov2_with_registers\"", 16)]
    [InlineData("\"model_type\": \"dinov2\", \"patch_size\": 7", 7)]
    public void Read_PatchSizeLeftOut_IsThePublishedClassesDefault(string fields, int expected)
    {
        using var file = new EncoderFixture.JsonText($"{{{fields}}}");
        Assert.Equal(expected, ViTConfig.Read(file.Path).PatchSide);
    }

    [Fact]
    public void Load_WeightsOfAnotherForm_ListsTheDifferences()
    {
        var source = Path.Combine(GoldenSet.Second.Small, "vision", "dinov2-registers");
        var folder = Directory.CreateTempSubdirectory();
        File.Copy(Path.Combine(source, "model.safetensors"), Path.Combine(folder.FullName, "model.safetensors"));
        var config = File.ReadAllText(Path.Combine(source, "config.json"));
        File.WriteAllText(Path.Combine(folder.FullName, "config.json"), Regex.Replace(config, "dinov2_with_registers", "dinov2"));
        var error = Assert.Throws<LabException>(() => ViTModel.Load(folder.FullName, CPU, ScalarType.Float32));
        folder.Delete(recursive: true);
        Assert.Contains("1 unexpected: embeddings.register_tokens", error.Message, StringComparison.Ordinal);
    }

    private static ViTConfig Small(string type) => new()
    {
        ModelType = type,
        HiddenSize = 8,
        IntermediateSize = 16,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        ImageSize = 8,
        PatchSize = 4,
    };
}
