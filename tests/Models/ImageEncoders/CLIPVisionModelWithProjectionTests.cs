using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.ImageEncoders;

public sealed class CLIPVisionModelWithProjectionTests
{
    private const double Tolerance = 2e-5;

    private static readonly CLIPVisionConfig Small = new()
    {
        HiddenSize = 8,
        IntermediateSize = 16,
        ProjectionDim = 6,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        ImageSize = 8,
        PatchSize = 4,
    };

    public static TheoryData<GoldenCase> Encodings => GoldenSet.Cases("vision", file => file.Has("vision.image_embeds"));

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Encodings))]
    public void Forward_GoldenPixels_EqualsTheReferenceAtEveryLayer(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = CLIPVisionModelWithProjection.Load(EncoderFixture.Folder(golden), TestDevice.Device, ScalarType.Float32);
        var output = model.forward(EncoderFixture.Pixels(golden), outputHiddenStates: true);
        Assert.Equal(model.Config.NumHiddenLayers + 1, output.HiddenStates.Count);
        GoldenAssert.Close(golden.Load("vision.image_embeds"), output.Embedding, Tolerance, "image_embeds");
        GoldenAssert.Close(golden.Load("vision.last_hidden_state"), output.LastHiddenState, Tolerance, "last_hidden_state");
        EncoderFixture.CompareLayers(golden.LoadAll("vision.hidden_states."), output, Tolerance);
        // Alone, the class token is all that the last layer computes.
        var alone = model.forward(EncoderFixture.Pixels(golden));
        Assert.Equal(1, alone.LastHiddenState.shape[1]);
        GoldenAssert.Close(golden.Load("vision.image_embeds"), alone.Embedding, Tolerance, "the class token alone");
    }

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Encodings))]
    public void Forward_AnotherSize_InterpolatesThePositionsAsTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = CLIPVisionModelWithProjection.Load(EncoderFixture.Folder(golden), TestDevice.Device, ScalarType.Float32);
        var output = model.forward(golden.Load("other.pixel_values").Here());
        GoldenAssert.Close(golden.Load("other.image_embeds"), output.Embedding, Tolerance);
    }

    [Fact]
    public void Forward_SidesThatAreNoMultiplesOfThePatch_Throws()
    {
        using var scope = NewDisposeScope();
        using var model = Random();
        var error = Assert.Throws<ArgumentException>(() => model.forward(zeros(1, 3, 8, 10)));
        Assert.Contains("multiples of 4", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Forward_Repeated_LeavesNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = Random();
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
    [InlineData("""{"model_type": "clip_vision_model", "projection_dim": 5}""", 5)]
    [InlineData("""{"projection_dim": 7, "vision_config": {"projection_dim": 5}}""", 7)]
    [InlineData("""{"vision_config": {"projection_dim": 5}}""", 5)]
    public void Read_ProjectionDim_OfAWholeModelIsTheOuterOne(string json, int expected)
    {
        using var file = new EncoderFixture.JsonText(json);
        Assert.Equal(expected, CLIPVisionConfig.Read(file.Path).ProjectionDim);
    }

    [Fact]
    public void Read_UnknownActivation_NamesTheKnownOnes()
    {
        using var file = new EncoderFixture.JsonText("""{"vision_config": {"hidden_act": "relu"}}""");
        var error = Assert.Throws<LabException>(() => CLIPVisionConfig.Read(file.Path));
        Assert.Contains("quick_gelu and gelu", error.Message, StringComparison.Ordinal);
    }

    private static CLIPVisionModelWithProjection Random() =>
        EncoderFixture.Random(new CLIPVisionModelWithProjection(Small, CPU, ScalarType.Float32));
}
