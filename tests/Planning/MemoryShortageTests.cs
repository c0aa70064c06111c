using System.Runtime.InteropServices;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class MemoryShortageTests
{
    private const long GiB = 1L << 30;

#pragma warning disable CA2201 // the type that libtorch's errors arrive as
    private static ExternalException Cuda { get; } = new(
        "CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of 23.64 GiB of which 300.19 MiB is free. Of the "
        + "allocated memory 22 GiB is allocated by PyTorch");

    private static ExternalException Other { get; } = new("mat1 and mat2 shapes cannot be multiplied");
#pragma warning restore CA2201

    [Fact]
    public void Is_RefusalsOfLibtorch_AreTold()
    {
        Assert.True(OutOfMemory.Is(Cuda));
        Assert.Equal(3 * GiB / 2, OutOfMemory.Requested(Cuda));
        Assert.False(OutOfMemory.Is(Other));
        Assert.False(OutOfMemory.Is(new InvalidOperationException("out of memory")));
    }

    [Fact]
    public void Is_MemoryThatTheProcessorDoesNotHave_IsToldAndTheProcessGoesOn()
    {
        var error = Assert.ThrowsAny<Exception>(() => zeros([1L << 50], ScalarType.Byte));
        Assert.True(OutOfMemory.Is(error), error.Message);
        Assert.Equal(1L << 50, OutOfMemory.Requested(error));
        using var after = ones(1);
        Assert.Equal(1f, after.item<float>());
    }

    [Fact]
    public void RefuseLora_LargerThanTheMemory_NamesTheRankAndTheLargest()
    {
        var settings = MemorySettings.TutorialTraining with { Rank = 65_536 };
        var numbers = new MemoryPlanner(ModelArchitecture.Sd35Medium).TrainedNumbers(settings);
        var memory = new AvailableMemory(numbers / 65_536 * 64 * 4 * sizeof(float), "free on a test", true);
        var message = Assert.Throws<LabException>(() => MemoryShortage.RefuseLora(ModelArchitecture.Sd35Medium, settings, memory)).Message;
        Assert.StartsWith("rank is 65536: that LoRA has ", message, StringComparison.Ordinal);
        Assert.EndsWith(" free on a test. A rank of 64 takes all of it; 4 to 64 is usual.", message, StringComparison.Ordinal);
        MemoryShortage.RefuseLora(ModelArchitecture.Sd35Medium, settings with { Rank = 64 }, memory);
    }

    [Fact]
    public void RefuseFarTooLarge_OnTheProcessor_IsRefusedBeyondTwiceItsMemory()
    {
        var settings = MemorySettings.TutorialTraining with { TrainBatchSize = 4_096 };
        var peak = new MemoryPlanner(ModelArchitecture.Sd35Medium).Forecast(settings).Peak;
        var memory = new AvailableMemory((peak / 2) - GiB, "left on a test", false);
        var message = Assert.Throws<LabException>(
            () => MemoryShortage.RefuseFarTooLarge(ModelArchitecture.Sd35Medium, settings, memory)).Message;
        Assert.StartsWith($"{ByteSize.Text(memory.Bytes)} are left on a test. By prediction the run needs ", message, StringComparison.Ordinal);
        MemoryShortage.RefuseFarTooLarge(ModelArchitecture.Sd35Medium, settings, memory with { IsGpu = true });
        MemoryShortage.RefuseFarTooLarge(ModelArchitecture.Sd35Medium, settings, memory with { Bytes = (peak / 2) + GiB });
    }

    [Fact]
    public void FitSamples_OfATrainingFarTooLarge_IsRefused()
    {
        var guard = new MemoryGuard(null, "cpu", new MemorySettings { Training = TrainingKind.Lora, TrainBatchSize = 4_194_304 });
        Assert.Throws<LabException>(
            () => guard.FitSamples(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini"), MemoryMode.Fast, 1));
    }

    [Fact]
    public void RefuseLora_OfACommandOnTheProcessor_ReadsItsMemory()
    {
        var guard = new MemoryGuard(null, "cpu", new MemorySettings { Rank = 100_000_000 });
        var error = Assert.Throws<LabException>(
            () => guard.FitSamples(Path.Combine(GoldenSet.RepositoryRoot, "data", "sd3-mini"), MemoryMode.Fast, 1));
        Assert.Contains("that this process may still use, on the CPU", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_TutorialTrainingOn24GiB_NamesSettingsThatFit()
    {
        var message = MemoryShortage.Explain(
            Cuda, "training", 24 * GiB, ModelArchitecture.Sd35Medium, MemorySettings.TutorialTraining).Message;
        Assert.StartsWith(
            "Out of memory during training: 1.5 GiB more were asked for on a device of 24.0 GiB. By prediction the run needs ", message,
            StringComparison.Ordinal);
        Assert.Contains("with --memory balanced it needs ", message, StringComparison.Ordinal);
        Assert.EndsWith("and fits.", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Explain_NothingFitsOrNothingIsKnown_SaysSo()
    {
        Assert.EndsWith(
            "no settings fit.",
            MemoryShortage.Explain(Cuda, "training", GiB, ModelArchitecture.Sd35Medium, MemorySettings.TutorialTraining).Message,
            StringComparison.Ordinal);
        Assert.EndsWith(
            "The verb memory predicts what settings need.",
            MemoryShortage.Explain(Cuda, "drawing", null, null, MemorySettings.TutorialInference).Message, StringComparison.Ordinal);
    }
}
