using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class ResidualCacheTests : IDisposable
{
    private static readonly GenerationRequest Small = new()
    {
        Prompts = ["a photo of a cat"],
        NumInferenceSteps = 9,
        Height = 16,
        Width = 32,
        Seed = 7,
        MaxSequenceLength = 8,
    };

    private readonly DisposeScope _scope;

    public ResidualCacheTests()
    {
        TorchLibraries.EnsureLoaded();
        _scope = NewDisposeScope();
    }

    public void Dispose() => _scope.Dispose();

    [Theory]
    [InlineData(1, "0 1 2 3 4 5 6 7 8")]
    [InlineData(2, "0 1 2 4 6 8")]
    [InlineData(3, "0 1 2 5 8")]
    [InlineData(50, "0 1 2 8")]
    public void RunsBlocks_NineSteps_AreTheFirstTheLastAndEveryNth(int interval, string steps) => Assert.Equal(
        steps, string.Join(' ', Enumerable.Range(0, 9).Where(step => ResidualCache.RunsBlocks(step, interval, 9))));

    [Fact]
    public void Denoise_EveryStepWhole_IsExactBitByBit()
    {
        using var pipeline = TinyPipeline.Load();
        foreach (var (steps, interval) in new[] { (4, 50), (9, 1) })
        {
            var request = Small with { NumInferenceSteps = steps };
            var exact = pipeline.Denoise(request);
            var cached = pipeline.Denoise(request with { CacheInterval = interval });
            Assert.Equal(exact.data<float>().ToArray(), cached.data<float>().ToArray());
        }
    }

    [Theory]
    [InlineData(7.0)]
    [InlineData(1.0)]
    public void Denoise_LongerIntervals_GoFurtherFromTheExactLatents(double guidance)
    {
        using var pipeline = TinyPipeline.Load();
        var request = Small with { GuidanceScale = guidance };
        var exact = pipeline.Denoise(request);
        var second = GoldenAssert.RelativeError(pipeline.Denoise(request with { CacheInterval = 2 }), exact);
        var fifth = GoldenAssert.RelativeError(pipeline.Denoise(request with { CacheInterval = 5 }), exact);
        Assert.InRange(second, 1e-6, 0.2);
        Assert.InRange(fifth, second, 0.5);
        var line = pipeline.Denoise(request with { CacheInterval = 2, CacheOrder = 1 });
        Assert.InRange(GoldenAssert.RelativeError(line, exact), 1e-6, 0.2);
        Assert.True(GoldenAssert.RelativeError(line, pipeline.Denoise(request with { CacheInterval = 2 })) > 0);
    }

    [Fact]
    public void Denoise_Cached_LeavesNoTensor()
    {
        using var pipeline = TinyPipeline.Load();
        pipeline.Denoise(Small with { CacheInterval = 3, CacheOrder = 1 }).Dispose();
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        pipeline.Denoise(Small with { CacheInterval = 3, CacheOrder = 1 }).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Denoise_WrongInterval_IsRefused()
    {
        using var pipeline = TinyPipeline.Load();
        var error = Assert.Throws<LabException>(() => pipeline.Denoise(Small with { CacheInterval = 0, CacheOrder = 2 }));
        Assert.Contains("cache_interval is 0; 1 or more is valid; cache_order is 2", error.Message, StringComparison.Ordinal);
    }
}
