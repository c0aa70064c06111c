using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Native.Cuda;

/// <summary>
/// Graphs, streams, kernels and memory readings on the second GPU of a machine, while the thread comes from the first one.
/// </summary>
[Trait("Category", "Devices")]
public sealed class DeviceTests
{
    private static readonly Device s_first = new(DeviceType.CUDA, 0);
    private static readonly Device s_second = new(DeviceType.CUDA, 1);

    [Fact]
    public void Capture_OnTheSecondGpu_ReplaysThereFromAnyThread()
    {
        RequireTwo();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Tensor input = randn([256, 256], device: s_second), output = zeros([256, 256], device: s_second);
        using var graph = CudaGraph.Capture(s_second, () =>
        {
            using var inner = NewDisposeScope();
            output.copy_(matmul(input, input).tanh());
        });
        foreach (var run in new Action<Action>[] { work => work(), OnAnotherThread, work => { MoveToTheFirst(); work(); } })
        {
            input.copy_(randn([256, 256]));
            run(graph.Launch);
            cuda.synchronize(s_second);
            GoldenAssert.Close(matmul(input, input).tanh().cpu(), output.cpu(), 1e-5);
        }
    }

    [Fact]
    public void Run_RecordedPassOnTheSecondGpu_AddsThePlainGradients()
    {
        RequireTwo();
        using var scope = NewDisposeScope();
        MoveToTheFirst();
        var weight = (randn([64, 64], device: s_second) * 0.1).requires_grad_(true);
        weight.grad = zeros_like(weight);
        var warnings = new List<string>();
        using var work = new RecordedWork(s_second, CudaGraph.Capture)
        {
            Name = "step",
            Vary = static inputs => [inputs[0].neg()],
            Gradients = (weight.grad, () => weight.grad.zero_()),
            Warn = warnings.Add,
        };
        Tensor[] Pass(Tensor[] inputs)
        {
            // A step of the program's own, whose kernels run on the backward pass's thread.
            var shift = inputs[0].select(1, 0);
            var loss = AdaptiveNorm.Modulate(inputs[0].matmul(weight), (shift, shift))[0].square().mean();
            GradientNode.Backward(() => loss.backward());
            return [loss.detach()];
        }

        for (var i = 0; i < 3; i++)
        {
            var input = randn([2, 5, 64], device: s_second);
            weight.grad.zero_();
            Pass([input]);
            var expected = weight.grad.clone();
            weight.grad.zero_();
            work.Run([input], Pass);
            GoldenAssert.Close(expected.cpu(), weight.grad.cpu(), 1e-4);
        }

        Assert.Empty(warnings);
        Assert.True(work.Replayed);
    }

    [Fact]
    public void Kernels_OnBothGpus_AgreeWithTheChain()
    {
        RequireTwo();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var device in new[] { s_first, s_second, s_first })
        {
            var (x, gate, branch) = (randn([2, 5, 64], device: device), randn([2, 64], device: device), randn([2, 5, 64], device: device));
            var fused = FusedAdaptiveNorm.Find(x, gate, branch, []);
            Assert.True(fused is not null, CudaKernels.Refusal);
            GoldenAssert.Close(Pointwise.GateAdd(x, gate, branch).cpu(), fused.Run()[0].cpu(), 1e-5);
        }
    }

    [Fact]
    public void Read_MemoryOfTheSecondGpu_SeesItsTensors()
    {
        RequireTwo();
        const long Bytes = 1L << 30;
        var before = (GpuMemory.Read(s_first)!.Used, GpuMemory.Read(s_second)!.Used);
        using var held = zeros([Bytes], ScalarType.Byte, s_second);
        cuda.synchronize(s_second);
        var after = (GpuMemory.Read(s_first)!.Used, GpuMemory.Read(s_second)!.Used);
        Assert.True(after.Item2 - before.Item2 >= Bytes && after.Item1 - before.Item1 < Bytes, $"{before} before, {after} after");
    }

    private static void RequireTwo()
    {
        TorchLibraries.EnsureLoaded();
        Assert.SkipWhen(!cuda.is_available() || cuda.device_count() < 2, "Needs two GPUs.");
    }

    // As a program does that has used the first GPU before.
    private static void MoveToTheFirst() => CudaDriver.MakeCurrent(0);

    private static void OnAnotherThread(Action work)
    {
        var thread = new Thread(() => work());
        thread.Start();
        thread.Join();
    }
}
