using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.TextEncoders;

public sealed class CLIPTextModelWithProjectionTests
{
    private const double Tolerance = 2e-5;

    private static readonly CLIPTextConfig Small = new()
    {
        VocabSize = 12,
        HiddenSize = 8,
        IntermediateSize = 16,
        ProjectionDim = 6,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        MaxPositionEmbeddings = 5,
        EosTokenId = 7,
    };

    public static TheoryData<GoldenCase> Encodings => GoldenSet.KeyCases("text_encoders", @"^(?<case>clip\d+)\.input_ids$");

    private static string PipelineFolder => GoldenSet.PathOf("pipelines", GoldenSet.Pipelines[0]);

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Encodings))]
    public void Forward_GoldenIds_EqualsTheReferenceAtEveryLayer(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = CLIPTextModelWithProjection.Load(
            Path.Combine(golden.PipelineFolder, golden.Key == "clip1" ? "text_encoder" : "text_encoder_2"), TestDevice.Device,
            ScalarType.Float32);
        var ids = golden.Load("input_ids").Here();
        var output = model.forward(ids, outputHiddenStates: true);
        Assert.Equal(model.Config.NumHiddenLayers + 1, output.HiddenStates.Count);

        GoldenAssert.Exact(golden.Load("pooled_position"), model.PooledPositions(ids), "pooled_position");
        GoldenAssert.Close(golden.Load("pooled"), output.TextEmbeds, Tolerance, "pooled");
        GoldenAssert.Close(golden.Load("last_hidden_state"), output.LastHiddenState, Tolerance, "last_hidden_state");
        GoldenAssert.Close(golden.Load("penultimate"), output.HiddenStates[^2], Tolerance, "penultimate");
        GoldenAssert.Close(golden.Load("clip_skip_1"), output.HiddenStates[^3], Tolerance, "clip_skip_1");
        var layers = golden.LoadAll("hidden_states.");
        Assert.NotEmpty(layers);
        foreach (var (layer, expected) in layers)
            GoldenAssert.Close(
                expected,
                output.HiddenStates[int.Parse(layer, System.Globalization.CultureInfo.InvariantCulture)].narrow(0, 0, expected.shape[0]),
                Tolerance, $"hidden_states.{layer}");
    }

    [Fact]
    public void Forward_HiddenStatesNotAskedFor_GivesTheSameTextWithoutThem()
    {
        using var scope = NewDisposeScope();
        using var model = Random(Small);
        var ids = tensor(new long[,] { { 0, 3, 4, 7, 7 }, { 0, 7, 1, 1, 1 } });
        var with = model.forward(ids, outputHiddenStates: true);
        var without = model.forward(ids);
        Assert.Equal(3, with.HiddenStates.Count);
        Assert.Empty(without.HiddenStates);
        GoldenAssert.Exact(with.TextEmbeds, without.TextEmbeds);
        GoldenAssert.Exact(with.LastHiddenState, without.LastHiddenState);
    }

    [Theory]
    [InlineData(7, new long[] { 3, 1 })]
    [InlineData(2, new long[] { 1, 0 })]
    public void PooledPositions_EndToken_IsItsFirstPlaceAndTheLargestIdWhereTheConfigSaysTwo(int eos, long[] places)
    {
        using var scope = NewDisposeScope();
        using var model = Random(Small with { EosTokenId = eos });
        var ids = tensor(new long[,] { { 0, 9, 4, 7, 7 }, { 8, 7, 7, 1, 1 } });
        Assert.Equal(places, model.PooledPositions(ids).data<long>().ToArray());
    }

    [Fact]
    public void Forward_TokensAfterTheEnd_ChangeNothingBeforeIt()
    {
        using var scope = NewDisposeScope();
        using var model = Random(Small);
        var one = model.forward(tensor(new long[,] { { 0, 3, 7, 1, 1 } }));
        var other = model.forward(tensor(new long[,] { { 0, 3, 7, 5, 9 } }));
        GoldenAssert.Close(one.TextEmbeds, other.TextEmbeds, 1e-6);
        GoldenAssert.Close(one.LastHiddenState.narrow(1, 0, 3), other.LastHiddenState.narrow(1, 0, 3), 1e-6);
        Assert.True(GoldenAssert.RelativeError(one.LastHiddenState, other.LastHiddenState) > 1e-2);
    }

    [Fact]
    public void Forward_TextLongerThanTheWindow_Throws()
    {
        using var scope = NewDisposeScope();
        using var model = Random(Small);
        var error = Assert.Throws<ArgumentException>(() => model.forward(zeros(1, 6, dtype: ScalarType.Int64)));
        Assert.Contains("up to 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_Repeated_LeavesNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        using var model = Random(Small);
        var ids = tensor(new long[,] { { 0, 3, 4, 7, 7 } });
        long Step()
        {
            using (NewDisposeScope())
                model.forward(ids, outputHiddenStates: true).TextEmbeds.sum().backward();
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }

        foreach (var parameter in model.parameters())
            parameter.requires_grad = false;
        model.TextModel.EncoderLayers[0].SelfAttn.QProj.Weight.requires_grad = true;
        var first = Step();
        Assert.Equal(first, Step());
        Assert.Equal(first, Step());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.05)]
    [InlineData(ScalarType.Float16, 0.01)]
    public void Load_NarrowType_StaysNearFloat32(ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var folder = Path.Combine(PipelineFolder, "text_encoder");
        using var wide = CLIPTextModelWithProjection.Load(folder, CPU, ScalarType.Float32);
        using var narrow = CLIPTextModelWithProjection.Load(folder, CPU, dtype);
        var ids = tensor(new long[,] { { 49406, 320, 1125, 49407, 49407 } });
        var output = narrow.forward(ids).LastHiddenState;
        Assert.Equal(dtype, output.dtype);
        GoldenAssert.Close(wide.forward(ids).LastHiddenState, output, tolerance);
    }

    [Fact]
    public void Read_UnknownActivation_NamesTheKnownOnes()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, """{"hidden_act": "relu"}""");
        var error = Assert.Throws<LabException>(() => CLIPTextConfig.Read(path));
        File.Delete(path);
        Assert.Contains("quick_gelu", error.Message, StringComparison.Ordinal);
    }

    private static CLIPTextModelWithProjection Random(CLIPTextConfig config)
    {
        var model = new CLIPTextModelWithProjection(config, CPU, ScalarType.Float32);
        using var noGradients = no_grad();
        manual_seed(3);
        foreach (var parameter in model.parameters())
            parameter.normal_();
        return model;
    }
}
