using System.Runtime.InteropServices;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tests.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Native.Cuda;

/// <summary>Recordings are stood in for by work that is called again: it sees the same tensors every time, as a CUDA graph does.</summary>
public sealed class RecordedWorkTests
{
    private readonly List<string> _warnings = [];

    [Theory]
    [InlineData(
        "cudaStreamBeginCapture failed with code 900.", "a CUDA graph: cudaStreamBeginCapture failed with code 900. Each operation")]
    [InlineData(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has",
        "a CUDA graph: out of memory, 2.0 GiB more were asked for. Each operation")]
    public void Warning_ARefusal_GivesItsReason(string message, string expected)
    {
#pragma warning disable CA2201 // the type that libtorch's errors arrive as
        Assert.Contains(expected, RecordedWork.Warning(new ExternalException(message)), StringComparison.Ordinal);
#pragma warning restore CA2201
    }

    [Fact]
    public void Run_RecordedWithOutputsAlone_GivesThoseOfTheInputsAtHand()
    {
        using var scope = NewDisposeScope();
        var recorder = new StandInRecorder();
        using var work = Work(recorder, plainCalls: 1);
        foreach (var (value, replayed) in new[] { (1f, false), (2f, true), (3f, true) })
        {
            Assert.Equal(value * value, Square(work, full([2], value)), 6);
            Assert.Equal(replayed, work.Replayed);
        }

        Assert.Equal((1, 2, 1), (recorder.Recorded, recorder.Launched, recorder.Alive));
        work.Forget();
        Assert.Equal(0, recorder.Alive);
    }

    [Fact]
    public void Run_OutputsThatDiffer_AreThoseOfPlainCallsWithOneWarning()
    {
        using var scope = NewDisposeScope();
        var recorder = new StandInRecorder { Forgets = true };
        using var work = Work(recorder);
        foreach (var value in new[] { 2f, 3f })
            Assert.Equal(value * value, Square(work, full([2], value)), 6);
        Assert.Equal((1, 0), (recorder.Recorded, recorder.Alive));
        Assert.Contains("a captured square differs by 4.24 of 5.66 from a plain one", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Run_GradientsFromBefore_AreAddedToOnce()
    {
        using var scope = NewDisposeScope();
        using var sum = ones(2);
        var recorder = new StandInRecorder();
        using var work = new RecordedWork(CPU, recorder.Record)
        {
            Name = "sum",
            Vary = static inputs => [inputs[0].neg()],
            Gradients = (sum, () => sum.zero_()),
        };
        Tensor[] Add(Tensor[] inputs)
        {
            sum.add_(inputs[0]);
            return [inputs[0].sum()];
        }

        work.Run([full([2], 2f)], Add);
        work.Run([full([2], 3f)], Add);
        Assert.Equal((true, 6f), (work.Replayed, sum[0].item<float>()));
    }

    [Fact]
    public void Run_InputThatAGradientGoesOnBehind_IsPlain()
    {
        using var scope = NewDisposeScope();
        var recorder = new StandInRecorder();
        using var work = Work(recorder);
        Square(work, full([2], 2f).requires_grad_(true));
        Assert.Equal((false, 0), (work.Replayed, recorder.Recorded));
    }

    [Fact]
    public void Run_AnError_IsNotTakenForARefusal()
    {
        using var scope = NewDisposeScope();
        using var work = Work(new StandInRecorder());
        Assert.Throws<InvalidOperationException>(() => work.Run([ones(2)], _ => throw new InvalidOperationException("a fault")));
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Run_RefusedOrReplayed_LeavesNoTensors() => Assert.Equal(0, LiveTensors.LeftBy(() =>
    {
        using var scope = NewDisposeScope();
        foreach (var recorder in new[] { new StandInRecorder(), new StandInRecorder { Refuses = true },
            new StandInRecorder { Forgets = true } })
        {
            using var work = Work(recorder);
            for (var i = 0; i < 3; i++)
                Square(work, full([2], 2f));
        }
    }));

    private RecordedWork Work(StandInRecorder recorder, int plainCalls = 0) => new(CPU, recorder.Record)
    {
        Name = "square",
        PlainCalls = plainCalls,
        OnlyWhereLaunchBound = true,
        Vary = static inputs => [inputs[0].neg() + 1],
        Warn = _warnings.Add,
    };

    private static float Square(RecordedWork work, Tensor input) => work.Run([input], inputs => [inputs[0].square()])[0][1].item<float>();
}
