using System.Runtime.InteropServices;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Native.Cuda;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Recordings are stood in for by work that is called again: it sees the same tensors every time, as a CUDA graph does.</summary>
public sealed class MicroStepTests : IDisposable
{
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load(withT5: false);
    private readonly LoraAdapter _adapter;
    private readonly FlowMatchingObjective _objective;
    private readonly List<string> _warnings = [];

    public MicroStepTests()
    {
        _adapter = TinyTraining.AdapterOf(_pipeline, b: 0.05);
        _objective = new FlowMatchingObjective(
            _pipeline.Transformer, new FlowMatchEulerDiscreteSchedulerConfig { Shift = 3 })
        { PriorLossWeight = 0.5 };
    }

    public void Dispose()
    {
        _objective.Dispose();
        _adapter.Dispose();
        _pipeline.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_Recorded_EqualsPlainCallsOverSeveralBatches(bool textIsTrained)
    {
        using var scope = NewDisposeScope();
        var (plain, plainLosses) = Train(null, textIsTrained);
        var recorder = new StandInRecorder();
        var (recorded, recordedLosses) = Train(recorder, textIsTrained);
        GoldenAssert.Exact(plain, recorded, "gradients");
        Assert.Equal(plainLosses, recordedLosses);
        foreach (var encoder in _adapter.Segments.Skip(1))
            Assert.Equal(textIsTrained, recorded.narrow(0, encoder.Offset, encoder.Length).abs().max().item<float>() > 0);
        Assert.Equal((1, 0), (recorder.Recorded, recorder.Alive));
        Assert.Empty(_warnings);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_WeightsOfInstanceRows_MultiplyTheirLossAlone(bool isRecorded)
    {
        var recorder = new StandInRecorder();
        using var step = Step(isRecorded ? recorder : null);
        using var scope = NewDisposeScope();
        var plain = Losses(_objective.Compute(Batch(1, 4, textIsTrained: true), Draw(1, 4)));
        foreach (var weight in new[] { 2f, 0.5f, 3f })
        {
            var weighted = Losses(step.Run(Batch(1, 4, textIsTrained: true) with { Weights = tensor([weight]) }, Draw(1, 4)));
            Assert.Equal(weight * plain.Instance, weighted.Instance, 1e-4 * plain.Instance);
            Assert.Equal(plain.Prior, weighted.Prior, 1e-4 * plain.Prior);
            Assert.Equal((weight * plain.Instance) + (0.5 * plain.Prior), weighted.Total, 1e-4 * plain.Total);
        }

        Assert.Equal(isRecorded, step.Replayed);

        static (double Total, double Instance, double Prior) Losses(FlowMatchingLoss loss) =>
            (loss.Total.item<float>(), loss.Instance.item<float>(), loss.Prior!.item<float>());
    }

    [Fact]
    public void Run_RecordedWithMasks_EqualsPlainCalls()
    {
        using var scope = NewDisposeScope();
        List<float> Losses(StandInRecorder? recorder)
        {
            using var step = Step(recorder);
            return [.. Enumerable.Range(0, 3).Select(i => step.Run(
                Batch(i, 4, textIsTrained: false) with { Mask = SeededNoise.Normal([2, 1, 4, 4], (ulong)(70 + i)).abs() },
                Draw(i, 4)).Total.item<float>())];
        }

        var recorder = new StandInRecorder();
        var plain = Losses(null);
        Assert.Equal(plain, Losses(recorder));
        Assert.Equal(1, recorder.Recorded);
        Assert.Equal(3, plain.Distinct().Count());
    }

    [Fact]
    public void Run_MoreShapesThanRecordings_RunsTheRestPlainly()
    {
        var recorder = new StandInRecorder();
        using var step = Step(recorder);
        foreach (var (side, replayed) in new[] { (4, true), (6, true), (8, false), (4, true) })
        {
            using var scope = NewDisposeScope();
            step.Run(Batch(1, side, textIsTrained: false), Draw(1, side));
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
        var (plain, plainLosses) = Train(null, textIsTrained: false);
        var recorder = new StandInRecorder { Refuses = how == "refused", Forgets = how == "wrong" };
        var (fallen, losses) = Train(recorder, textIsTrained: false);
        GoldenAssert.Exact(plain, fallen, "gradients");
        Assert.Equal(plainLosses, losses);
        Assert.Equal(1, recorder.Recorded);
        Assert.Contains("Each operation is launched by itself.", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Forget_BetweenBatches_FreesTheRecordingAndMakesAnother()
    {
        var recorder = new StandInRecorder();
        using var step = Step(recorder);
        foreach (var recorded in new[] { 1, 2 })
        {
            using var scope = NewDisposeScope();
            step.Run(Batch(1, 4, textIsTrained: false), Draw(1, 4));
            Assert.Equal((true, recorded, 1), (step.Replayed, recorder.Recorded, recorder.Alive));
            step.Forget();
            Assert.Equal(0, recorder.Alive);
        }
    }

    [Fact]
    public void Run_FirstOfAShape_IsComputedPlainlyBeforeItIsRecorded()
    {
        using var scope = NewDisposeScope();
        var (encoded, before) = (0, 0);
        var plain = Batch(1, 4, textIsTrained: false);
        var batch = plain with
        {
            Text = plain.Text with
            {
                Encode = inputs =>
                {
                    encoded++;
                    return plain.Text.Encode(inputs);
                },
            },
        };
        using var step = new MicroStep(Pass, _adapter, (device, work) =>
        {
            before = encoded;
            return new StandInRecorder().Record(device, work);
        });
        step.Run(batch, Draw(1, 4));
        Assert.Equal((true, 1), (step.Replayed, before));
    }

    [Fact]
    public void Run_FurtherShapeIsRefused_KeepsTheFirstRecordingAndRunsTheOtherPlainly()
    {
        var recorder = new StandInRecorder { Most = 1 };
        using var step = Step(recorder);
        foreach (var (side, replayed) in new[] { (4, true), (6, false), (6, false), (4, true) })
        {
            using var scope = NewDisposeScope();
            step.Run(Batch(1, side, textIsTrained: false), Draw(1, side));
            Assert.Equal(replayed, step.Replayed);
        }

        Assert.Equal((2, 1), (recorder.Recorded, recorder.Alive));
        Assert.Single(_warnings);
    }

    [Fact]
    public void Run_OtherWeightOfTheLora_IsRecordedAnew()
    {
        var recorder = new StandInRecorder();
        using var step = Step(recorder);
        foreach (var weight in new[] { 1.0, 0.5, 1.0 })
        {
            using var scope = NewDisposeScope();
            _adapter.Weight = weight;
            step.Run(Batch(1, 4, textIsTrained: false), Draw(1, 4));
        }

        Assert.Equal(2, recorder.Recorded);
    }

    [Fact]
    public void WithRoom_MemoryIsRefusedBesideARecording_FreesItAndWorksAgain()
    {
        using var scope = NewDisposeScope();
        var recorder = new StandInRecorder();
        using var step = Step(recorder);
        step.Run(Batch(1, 4, textIsTrained: false), Draw(1, 4));
        Assert.Equal(7, step.WithRoom(() => recorder.Alive == 0 ? 7 : AskTooMuch<int>()));
        Assert.ThrowsAny<ExternalException>(() => step.WithRoom(AskTooMuch<int>));
        step.Run(Batch(1, 4, textIsTrained: false), Draw(1, 4));
        Assert.Equal((true, 2), (step.Replayed, recorder.Recorded));
    }

    [Fact]
    public void Run_MemoryIsRefusedToAPlainPassBesideRecordings_GivesTheSameGradients()
    {
        using var scope = NewDisposeScope();
        using var before = ones_like(_adapter.Gradients!);
        Tensor Gradients(StandInRecorder? recorder)
        {
            using var step = Step(recorder);
            foreach (var side in recorder is null ? [] : new[] { 4, 6 })
                step.Run(Batch(1, side, textIsTrained: false), Draw(1, side));
            using (no_grad())
                _adapter.Gradients!.copy_(before);
            var batch = Batch(1, 8, textIsTrained: false);
            var encode = batch.Text.Encode;
            Tensor touched = _adapter.Gradients!;
            var loss = step.Run(
                batch with
                {
                    Text = batch.Text with
                    {
                        Encode = inputs =>
                        {
                            if (recorder is not { Alive: > 0 })
                                return encode(inputs);
                            using (no_grad())
                                touched.add_(5);
                            return AskTooMuch<PromptEmbeddings>();
                        },
                    },
                },
                Draw(1, 8));
            Assert.True(loss.Total.item<float>() > 0);
            var gradients = _adapter.Gradients!.clone();
            // The memory holds one graph fewer from now on.
            foreach (var (side, replayed) in recorder is null ? [] : new[] { (4, true), (6, false), (4, true) })
            {
                step.Run(Batch(1, side, textIsTrained: false), Draw(1, side));
                Assert.Equal(replayed, step.Replayed);
            }

            return gradients;
        }

        var plain = Gradients(null);
        var recorder = new StandInRecorder();
        GoldenAssert.Exact(plain, Gradients(recorder), "gradients");
        Assert.Equal(0, recorder.Alive);
    }

    [Fact]
    public void Run_Recorded_LeavesNoTensors()
    {
        Assert.Equal(0, LiveTensors.LeftBy(() =>
        {
            using var scope = NewDisposeScope();
            Train(new StandInRecorder(), textIsTrained: true);
        }));
    }

    private (Tensor Gradients, List<float> Losses) Train(StandInRecorder? recorder, bool textIsTrained)
    {
        using (no_grad())
            _adapter.Gradients!.zero_();
        using var step = Step(recorder);
        var losses = new List<float>();
        for (var i = 0; i < 3; i++)
        {
            using var scope = NewDisposeScope();
            var loss = step.Run(Batch(i, 4, textIsTrained), Draw(i, 4));
            losses.AddRange([loss.Total.item<float>(), loss.Instance.item<float>(), loss.Prior!.item<float>()]);
        }

        Assert.Equal(recorder is { Refuses: false, Forgets: false }, step.Replayed);
        return (_adapter.Gradients!.clone(), losses);
    }

    private MicroStep Step(StandInRecorder? recorder) =>
        new(Pass, _adapter, recorder is null ? null : recorder.Record) { Warn = _warnings.Add };

    private FlowMatchingLoss Pass(TrainingBatch batch, TrainingDraw draw)
    {
        var loss = _objective.Compute(batch, draw);
        loss.Backward(2);
        _adapter.CollectGradients();
        return loss;
    }

    private static T AskTooMuch<T>()
    {
        empty(1L << 50, ScalarType.Byte).Dispose();
        throw new InvalidOperationException("There was as much memory.");
    }

    /// <summary>Each batch has prompts of its own, which go through the encoders where these are trained.</summary>
    private TrainingBatch Batch(int number, long side, bool textIsTrained)
    {
        var latents = SeededNoise.Normal([2, 16, side, side], (ulong)number);
        var text = TrainingText.Of(
            _pipeline.Prompts, [$"cat {number}", "a cat"], SeededNoise.Normal([2, 3, _pipeline.Transformer.Config.JointAttentionDim], 100));
        if (textIsTrained)
            return new TrainingBatch(latents, text);
        using var noGradients = no_grad();
        return new TrainingBatch(latents, text.Embeddings());
    }

    private static TrainingDraw Draw(int number, long side) =>
        new(SeededNoise.Normal([2, 16, side, side], (ulong)(50 + number)), tensor([100L + number, 700L]));
}
