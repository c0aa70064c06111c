using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Recordings are stood in for by work that is called again: it sees the same tensors every time, as a CUDA graph does.</summary>
public sealed class MicroStepTests : IDisposable
{
    private readonly SD3Transformer2DModel _transformer = SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
    private readonly LoraAdapter _adapter;
    private readonly FlowMatchingObjective _objective;
    private readonly List<string> _warnings = [];

    public MicroStepTests()
    {
        _adapter = LoraAdapter.Create("a", [(new LoraComponent("transformer", _transformer), new LoraConfig { Rank = 2, TargetModules = ["attn.to_q", "attn.to_v"] })], 0, CPU, ScalarType.Float32);
        using (no_grad())
            _adapter.Layers.ToList().ForEach(layer => layer.Weights.B.fill_(0.05));
        _objective = new FlowMatchingObjective(_transformer, new FlowMatchEulerDiscreteSchedulerConfig { Shift = 3 }) { PriorLossWeight = 0.5 };
    }

    public void Dispose()
    {
        _objective.Dispose();
        _adapter.Dispose();
        _transformer.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_Recorded_EqualsPlainCallsOverSeveralBatches(bool textIsTrained)
    {
        using var scope = NewDisposeScope();
        var (plain, plainText, plainLosses) = Train(null, textIsTrained);
        var recorder = new Recorder();
        var (recorded, recordedText, recordedLosses) = Train(recorder, textIsTrained);
        GoldenAssert.Exact(plain, recorded, "gradients");
        Assert.Equal(plainLosses, recordedLosses);
        if (textIsTrained)
            GoldenAssert.Exact(plainText!, recordedText!, "gradient of what the text is made of");
        Assert.Equal(1, recorder.Recorded);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Run_MoreShapesThanRecordings_RunsTheRestPlainly()
    {
        var recorder = new Recorder();
        using var step = Step(recorder);
        foreach (var (side, replayed) in new[] { (4, true), (6, true), (8, false), (4, true) })
        {
            using var scope = NewDisposeScope();
            step.Run(Batch(1, side, text: null), Draw(1, side));
            Assert.Equal(replayed, step.Replayed);
        }

        Assert.Equal(MicroStep.MostRecordings, recorder.Recorded);
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("wrong")]
    public void Run_RecordingThatFailsOrComputesSomethingElse_FallsBackOnceAndSaysSo(string how)
    {
        using var scope = NewDisposeScope();
        var (plain, _, plainLosses) = Train(null, textIsTrained: false);
        var recorder = new Recorder { Refuses = how == "refused", Forgets = how == "wrong" };
        var (fallen, _, losses) = Train(recorder, textIsTrained: false);
        GoldenAssert.Exact(plain, fallen, "gradients");
        Assert.Equal(plainLosses, losses);
        Assert.Equal(1, recorder.Recorded);
        Assert.Contains("Each operation is launched by itself.", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Recorded_LeavesNoTensors()
    {
        Assert.Equal(0, LiveTensors.LeftBy(() =>
        {
            using var scope = NewDisposeScope();
            Train(new Recorder(), textIsTrained: true);
        }));
    }

    [Fact]
    public void RecorderOf_TheCpu_IsNone() => Assert.Null(MicroStep.RecorderOf(CPU));

    private (Tensor Gradients, Tensor? Text, List<float> Losses) Train(Recorder? recorder, bool textIsTrained)
    {
        using (no_grad())
            _adapter.Gradients!.zero_();
        using var step = Step(recorder);
        var source = SeededNoise.Normal([2, 3, 28], 100).requires_grad_(textIsTrained);
        var losses = new List<float>();
        for (var i = 0; i < 3; i++)
        {
            using var scope = NewDisposeScope();
            var loss = step.Run(Batch(i, 4, textIsTrained ? source : null), Draw(i, 4));
            losses.AddRange([loss.Total.item<float>(), loss.Instance.item<float>(), loss.Prior!.item<float>(), loss.Noisy.sum().item<float>(), loss.Denoised.sum().item<float>()]);
        }

        Assert.Equal(recorder is { Refuses: false, Forgets: false }, step.Replayed);
        return (_adapter.Gradients!.clone(), source.grad, losses);
    }

    private MicroStep Step(Recorder? recorder) => new(_objective, _adapter.Gradients!, 2, recorder is null ? null : recorder.Record) { Warn = _warnings.Add };

    /// <summary>Text is made of a source as an encoder would make it, anew for each batch.</summary>
    private static TrainingBatch Batch(int number, long side, Tensor? text) => new(
        SeededNoise.Normal([2, 16, side, side], (ulong)number),
        new PromptEmbeddings(
            text is null ? SeededNoise.Normal([2, 3, 28], 100) : text * (number + 1),
            text is null ? SeededNoise.Normal([2, 24], 101) : text.mean([1]).narrow(1, 0, 24)));

    private static TrainingDraw Draw(int number, long side) => new(SeededNoise.Normal([2, 16, side, side], (ulong)(50 + number)), tensor([100L + number, 700L]));

    private sealed class Recorder
    {
        public bool Refuses { get; init; }

        public bool Forgets { get; init; }

        public int Recorded { get; private set; }

        public IReplayable Record(Device device, Action work)
        {
            Recorded++;
            for (var i = 0; i < 3; i++)
                work();
            return Refuses ? throw new LabException("cudaStreamBeginCapture failed with code 900.") : new Replay(Forgets ? static () => { } : work);
        }
    }

    private sealed class Replay(Action work) : IReplayable
    {
        public void Launch() => work();

        public void Dispose()
        {
        }
    }
}
