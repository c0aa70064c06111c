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

    private readonly SD3Transformer2DModel _model = SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Maps_ChosenBlocks_AreDistributionsOverBothStreams()
    {
        using var recorder = new AttentionRecorder(_model, [0, 3, 0]);
        Forward();
        Assert.Equal([0, 3], recorder.Maps.Select(entry => entry.Block));
        Assert.All(recorder.Maps, entry =>
        {
            Assert.Equal([2, ImageTokens + TextTokens, ImageTokens + TextTokens], entry.Map.shape);
            Assert.True(entry.Map.min().item<float>() >= 0);
            GoldenAssert.Close(ones(2, ImageTokens + TextTokens), entry.Map.sum(-1), 1e-6, "sums of the rows");
            Assert.True(entry.Map.std().item<float>() > 1e-4);
        });
        recorder.Clear();
        Assert.Empty(recorder.Maps);
        Forward();
        Assert.Equal(2, recorder.Maps.Count);
    }

    [Fact]
    public void Recording_Outputs_StayBitIdentical()
    {
        var before = Forward();
        using var recorder = new AttentionRecorder(_model, [0, 1, 2, 3]);
        GoldenAssert.Exact(before, Forward());
    }

    [Fact]
    public void Dispose_OneOfTwoRecorders_LeavesTheOther()
    {
        using var lasting = new AttentionRecorder(_model, [1]);
        var brief = new AttentionRecorder(_model, [1, 2]);
        Forward();
        brief.Dispose();
        brief.Dispose();
        Forward();
        Assert.Equal(2, lasting.Maps.Count);
        Assert.Null(_model.TransformerBlocks[2].Attn.ProbabilitiesObserver);
    }

    [Fact]
    public void Constructor_UnknownBlock_IsRefusedAndNothingIsRecorded()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new AttentionRecorder(_model, [0, 4]));
        Assert.Contains("Blocks are 0 to 3.", error.Message, StringComparison.Ordinal);
        Assert.Null(_model.TransformerBlocks[0].Attn.ProbabilitiesObserver);
    }

    [Fact]
    public void Recording_AndDisposing_LeavesNoTensors() => Assert.Equal(0, LiveTensors.LeftBy(() =>
    {
        using var recorder = new AttentionRecorder(_model, [0, 1]);
        using var output = Forward();
    }));

    private Tensor Forward()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var generator = new Generator(1, CPU);
        return _model.forward(
            randn([2, 16, 4, 6], generator: generator), tensor(new[] { 500f, 100f }), randn([2, TextTokens, 28], generator: generator), randn([2, 24], generator: generator))
            .MoveToOuterDisposeScope();
    }
}
