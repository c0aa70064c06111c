using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class MemoryChoiceTests
{
    private static readonly MemorySettings Drawing = MemorySettings.TutorialInference with
    {
        SampleBatchSize = 4,
        Dtype = ScalarType.BFloat16,
        VaeDtype = ScalarType.BFloat16,
    };

    [Theory]
    [InlineData(80, "fast")]
    [InlineData(16, "balanced")]
    [InlineData(6, "low, the transformer block by block but for 14 that stay")]
    [InlineData(3, "low, the transformer block by block")]
    public void Make_Auto_TakesTheFirstThatFits(int gigabytes, string expected)
    {
        var choice = MemoryChoice.Make(MemoryMode.Auto, ModelArchitecture.Sd35Medium, Drawing, Gpu(gigabytes));
        Assert.Equal(expected, MemoryChoice.Name(choice.Settings));
        Assert.StartsWith($"Memory mode {expected}: ", choice.Reason, StringComparison.Ordinal);
        Assert.Contains($"{gigabytes}.0 GiB free on a card", choice.Reason, StringComparison.Ordinal);
        Assert.Equal(expected != "fast", choice.Reason.Contains("fast would need ", StringComparison.Ordinal));
        Assert.DoesNotContain('\n', choice.Reason);
    }

    [Fact]
    public void Make_AutoForTraining_NeverStreamsTheTransformer()
    {
        var settings = MemorySettings.TutorialTraining with { Dtype = ScalarType.BFloat16 };
        var middle = MemoryChoice.Make(MemoryMode.Auto, ModelArchitecture.Sd35Medium, settings, Gpu(16));
        Assert.Equal(MemoryMode.Balanced, middle.Settings.Memory);
        var small = MemoryChoice.Make(MemoryMode.Auto, ModelArchitecture.Sd35Medium, settings, Gpu(4));
        Assert.Equal((MemoryMode.Low, false), (small.Settings.Memory, small.Settings.StreamTransformer));
        Assert.Contains("that may not be enough", small.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Make_LowAskedFor_StreamsTheTransformerWhereItDoesNotFit()
    {
        Assert.False(Low(24).Settings.StreamTransformer);
        Assert.Empty(Low(24).Reason);
        Assert.True(Low(6).Settings.StreamTransformer);
        Assert.Contains("block by block", Low(6).Reason, StringComparison.Ordinal);

        static MemoryChoice Low(int gigabytes) => MemoryChoice.Make(MemoryMode.Low, ModelArchitecture.Sd35Medium, Drawing, Gpu(gigabytes));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Make_TransformerInBlocks_KeepsAsManyAsFit(int gigabytes)
    {
        var planner = new MemoryPlanner(ModelArchitecture.Sd35Medium);
        var settings = MemoryChoice.Make(MemoryMode.Low, ModelArchitecture.Sd35Medium, Drawing, Gpu(gigabytes)).Settings;
        var usable = MemoryPlanner.Usable(gigabytes * ByteSize.GiB);
        Assert.InRange(settings.ResidentBlocks, 1, 21);
        Assert.InRange(planner.Forecast(settings).Peak, 0, usable);
        Assert.True(planner.Forecast(settings with { ResidentBlocks = settings.ResidentBlocks + 1 }).Peak > usable);
    }

    [Fact]
    public void Make_AskedForOrNothingKnown_IsTakenAsItIs()
    {
        Assert.Equal(MemoryMode.Fast, MemoryChoice.Make(MemoryMode.Fast, ModelArchitecture.Sd35Medium, Drawing, Gpu(4)).Settings.Memory);
        Assert.Equal(
            MemoryMode.Balanced, MemoryChoice.Make(MemoryMode.Balanced, ModelArchitecture.Sd35Medium, Drawing, Gpu(80)).Settings.Memory);
        Assert.Equal(MemoryMode.Low, MemoryChoice.Make(MemoryMode.Low, null, Drawing, null).Settings.Memory);
        Assert.Contains(
            "fast: the device's free memory is not known",
            MemoryChoice.Make(MemoryMode.Auto, ModelArchitecture.Sd35Medium, Drawing, null).Reason, StringComparison.Ordinal);
        Assert.Contains(
            "fast: the model's sizes are not known", MemoryChoice.Make(MemoryMode.Auto, null, Drawing, Gpu(4)).Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TheMachine_HasSomethingFree()
    {
        TorchLibraries.EnsureLoaded();
        var memory = AvailableMemory.Read(CPU)!.Value;
        Assert.False(memory.IsGpu);
        Assert.InRange(memory.Bytes, 100L << 20, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
    }

    private static AvailableMemory Gpu(int gigabytes) => new(gigabytes * ByteSize.GiB, "free on a card", true);
}
