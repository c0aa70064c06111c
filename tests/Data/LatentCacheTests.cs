using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Data;

public sealed class LatentCacheTests : IDisposable
{
    private readonly PictureSamples _samples = new();

    public LatentCacheTests()
    {
        for (var i = 0; i < 3; i++)
            _samples.Add($"{i}.png", 60, 48, i);
    }

    public void Dispose() => _samples.Dispose();

    private DreamBoothDatasetOptions Options => new()
    {
        InstanceDataDir = _samples.Folder,
        InstancePrompt = "a photo of sks cat",
        Resolution = 32,
        RandomFlip = true,
    };

    private static LatentMoments Encode(Tensor pixels)
    {
        var small = nn.functional.avg_pool2d(pixels, 8);
        return new LatentMoments(small, small.abs() + 0.5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Sample_EveryRowOfEveryEpoch_EqualsEncodingAtOnce(int batchSize)
    {
        using var scope = NewDisposeScope();
        var dataset = DreamBoothDataset.Load(Options);
        using var cache = LatentCache.Build(dataset, Encode, batchSize);
        Assert.Equal(6, cache.Count);
        Assert.Equal(2 * 6 * 3 * 4 * 4 * 4, cache.Bytes);
        for (var epoch = 0; epoch < 6; epoch++)
        {
            var rows = dataset.Rows([2, 0, 1], epoch);
            using var pixels = PixelTensors.Stack([.. rows.Select(row => dataset.LoadPicture(row.View))]);
            var noise = Lab.Tensors.SeededNoise.Normal([3, 3, 4, 4], (ulong)epoch);
            var expected = Encode(pixels).Sample(noise);
            using var moments = cache.Moments(rows);
            Assert.True(expected.allclose(moments.Sample(noise), 1e-6, 1e-6));
            Assert.False(expected.allclose(moments.Sample(-noise), 1e-6, 1e-6));
        }
    }

    [Fact]
    public void Build_InAScope_OwnsItsTensorsAndLeavesNoOthers()
    {
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var dataset = DreamBoothDataset.Load(Options);
        LatentCache cache;
        using (NewDisposeScope())
            cache = LatentCache.Build(dataset, Encode);
        Assert.Equal(before + 2, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        using (var moments = cache.Moments(dataset.Rows([0], 0)))
            Assert.Equal([1, 3, 4, 4], moments.Mean.shape);
        cache.Dispose();
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Build_EncoderFailsOrIsCancelled_LeavesNoTensor()
    {
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var dataset = DreamBoothDataset.Load(Options);
        var calls = 0;
        Assert.Throws<IOException>(() => LatentCache.Build(dataset, pixels => ++calls < 3 ? Encode(pixels) : throw new IOException("no")));
        using var source = new CancellationTokenSource();
        var seen = new List<(int Done, int Total)>();
        void Cancel(int done, int total)
        {
            seen.Add((done, total));
            source.Cancel();
        }

        Assert.Throws<OperationCanceledException>(() => LatentCache.Build(dataset, Encode, 2, Cancel, cancellation: source.Token));
        Assert.Equal([(2, 6)], seen);
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Moments_RowOfAnotherDataset_IsRefused()
    {
        using var cache = LatentCache.Build(DreamBoothDataset.Load(Options), Encode);
        var other = DreamBoothDataset.Load(Options with { Resolution = 16 });
        var error = Assert.Throws<LabException>(() => cache.Moments(other.Rows([0], 0)));
        Assert.Contains("0.png", error.Message, StringComparison.Ordinal);
    }
}
