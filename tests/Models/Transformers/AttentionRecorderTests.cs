using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Transformers;

public sealed class AttentionRecorderTests : IDisposable
{
    private const long ImageTokens = 2 * 3, TextTokens = 5;

    private readonly SD3Transformer2DModel _model = SD3Transformer2DModel.Load(
        Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Maps_ChosenBlocks_AreTheGroupsPartsOfAttentionOfTheLastRow()
    {
        long[] words = [ImageTokens, ImageTokens + 3], all = [.. Enumerable.Range(0, (int)(ImageTokens + TextTokens)).Select(i => (long)i)];
        Tensor? expected = null;
        void Compute(Tensor query, Tensor key, long image)
        {
            var scores = matmul(query[1], key[1].transpose(-2, -1)) / Math.Sqrt(query.shape[3]);
            expected = softmax(scores, dim: -1).mean([0]).narrow(0, 0, image).index_select(1, tensor(words)).sum(1)
                .DetachFromDisposeScope();
        }

        _model.TransformerBlocks[3].Attn.HeadsObserver += Compute;
        using var recorder = new AttentionRecorder(_model, [3, 0, 3], [words, all]);
        Forward();
        _model.TransformerBlocks[3].Attn.HeadsObserver -= Compute;
        Assert.Equal([0, 3], recorder.Maps.Select(entry => entry.Block));
        Assert.All(recorder.Maps, entry =>
        {
            Assert.Equal([2, ImageTokens], entry.Map.shape);
            GoldenAssert.Close(ones(ImageTokens), entry.Map[1], 1e-6, "everything");
            Assert.True(entry.Map[0].min().item<float>() > 0);
        });
        GoldenAssert.Close(expected!, recorder.Maps[1].Map[0], 1e-6, "the words");
        Forward();
        GoldenAssert.Close(full([ImageTokens], 2), recorder.Maps[1].Map[1], 1e-6, "two forwards");
    }

    [Fact]
    public void Recording_Outputs_StayBitIdentical()
    {
        var before = Forward();
        using var recorder = new AttentionRecorder(_model, [0, 1, 2, 3], [[0]]);
        GoldenAssert.Exact(before, Forward());
    }

    [Fact]
    public void Dispose_OneOfTwoRecorders_LeavesTheOther()
    {
        using var lasting = new AttentionRecorder(_model, [1], [[0]]);
        var brief = new AttentionRecorder(_model, [1, 2], [[0]]);
        Forward();
        brief.Dispose();
        brief.Dispose();
        Forward();
        Assert.InRange(lasting.Maps[0].Map.sum().item<float>(), 1e-3, 2 * ImageTokens);
        Assert.Single(lasting.Maps);
        Assert.Null(_model.TransformerBlocks[2].Attn.HeadsObserver);
    }

    [Fact]
    public void Constructor_UnknownBlock_IsRefusedAndNothingIsRecorded()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new AttentionRecorder(_model, [0, 4], [[0]]));
        Assert.Contains("Blocks are 0 to 3.", error.Message, StringComparison.Ordinal);
        Assert.Null(_model.TransformerBlocks[0].Attn.HeadsObserver);
    }

    [Fact]
    public void Recording_AndDisposing_LeavesNoTensors() => Assert.Equal(0, LiveTensors.LeftBy(() =>
    {
        using var recorder = new AttentionRecorder(_model, [0, 1], [[0]]);
        using var output = Forward();
    }));

    private Tensor Forward()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var generator = new Generator(1, CPU);
        return _model.forward(
            randn([2, 16, 4, 6], generator: generator), tensor(new[] { 500f, 100f }), randn([2, TextTokens, 28], generator: generator),
            randn([2, 24], generator: generator))
            .MoveToOuterDisposeScope();
    }
}
