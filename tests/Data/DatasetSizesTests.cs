using Dreambooth.Lab.Data;
using Dreambooth.Lab.Imaging;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Data;

/// <summary>Pictures of several shapes, cropped to buckets and at several resolutions.</summary>
public sealed class DatasetSizesTests : IDisposable
{
    private readonly PictureSamples _instance = new();
    private readonly PictureSamples _class = new();

    public DatasetSizesTests()
    {
        foreach (var (i, (width, height)) in new[] { (60, 60), (90, 60), (95, 60), (40, 90), (61, 64), (44, 90) }.Index())
            _instance.Add($"{i}.png", width, height, i);
        for (var i = 0; i < 4; i++)
            _class.Add($"{i}.png", 64, 64, 10 + i);
    }

    public void Dispose()
    {
        _instance.Dispose();
        _class.Dispose();
    }

    private DreamBoothDatasetOptions Options => new()
    {
        InstanceDataDir = _instance.Folder,
        InstancePrompt = "a photo of sks cat",
        Resolution = 64,
        AspectBuckets = true,
        BucketStep = 16,
        CenterCrop = true,
    };

    private DreamBoothDatasetOptions WithClass => Options with { ClassDataDir = _class.Folder, ClassPrompt = "a photo of a cat" };

    [Fact]
    public void LoadPicture_Bucket_GivesThePixelsOfTheStepsByHand()
    {
        var dataset = DreamBoothDataset.Load(Options);
        var row = dataset.Rows([1], 0)[0];
        // 90:60 is nearest to 80:48; the height decides the scale: 60 to 50.
        Assert.Equal(new PictureSize(80, 48), dataset.SizeOf(1));
        var whole = ImageResizer.Resize(PictureSamples.Draw(90, 60, 1), 80, 53);
        Assert.Equal(ImageTransforms.CenterCrop(whole, 80, 48).Pixels, dataset.LoadPicture(row.View).Pixels);
        Assert.Equal(new PictureSize(80, 53), row.View.ResizedTo);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Sampler_Buckets_UseEveryItemOnceInBatchesOfOneSize(int batchSize)
    {
        var dataset = DreamBoothDataset.Load(WithClass with { Repeats = 3, MoreResolutions = [32] });
        Assert.Equal(6 * 3 * 2, dataset.InstanceCount);
        var sampler = dataset.Sampler(dataset.Count, batchSize, 5);
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var batches = sampler.Epoch(epoch);
            Assert.Equal(sampler.BatchesPerEpoch, batches.Count);
            Assert.Equal(Enumerable.Range(0, dataset.Count), batches.SelectMany(batch => batch).Order());
            foreach (var batch in batches)
            {
                Assert.InRange(batch.Length, 1, batchSize);
                var rows = dataset.Rows(batch, epoch);
                Assert.Equal(2 * batch.Length, rows.Count);
                var sizes = rows.Select(row => (row.View.Crop.Width, row.View.Crop.Height)).Distinct();
                Assert.Equal((dataset.SizeOf(batch[0]).Width, dataset.SizeOf(batch[0]).Height), Assert.Single(sizes));
                Assert.All(rows, row => Assert.Contains(row.View, dataset.DistinctViews));
            }
        }

        Assert.NotEqual(sampler.Epoch(0).Select(batch => batch[0]), sampler.Epoch(1).Select(batch => batch[0]));
        Assert.Equal(sampler.Epoch(1), dataset.Sampler(dataset.Count, batchSize, 5).Epoch(1));
    }

    [Fact]
    public void Rows_RandomCropAndFlip_StayInsideThePictureAndAreListed()
    {
        var dataset = DreamBoothDataset.Load(WithClass with { CenterCrop = false, RandomFlip = true, Repeats = 4 });
        for (var epoch = 0; epoch < 3; epoch++)
        {
            foreach (var row in dataset.Rows([.. Enumerable.Range(0, dataset.Count)], epoch))
            {
                var (view, crop) = (row.View, row.View.Crop);
                Assert.Contains(view, dataset.DistinctViews);
                Assert.InRange(crop.Left, 0, view.ResizedTo.Width - crop.Width);
                Assert.InRange(crop.Top, 0, view.ResizedTo.Height - crop.Height);
            }
        }
    }

    [Fact]
    public void Sampler_OneSize_IsTheOrderWithoutBuckets()
    {
        var plain = DreamBoothDataset.Load(Options with { AspectBuckets = false });
        var single = DreamBoothDataset.Load(Options with { Resolution = 16 });
        Assert.Equal(new BatchSampler(6, 4, 9).Epoch(1), plain.Sampler(6, 4, 9).Epoch(1));
        Assert.Equal(plain.Sampler(6, 4, 9).Epoch(1), single.Sampler(6, 4, 9).Epoch(1));
    }

    [Fact]
    public void OfInstances_Buckets_TellsTheSizes()
    {
        var lines = DatasetReport.OfInstances(DreamBoothDataset.Load(Options)).Lines;
        Assert.Contains("Sizes an epoch: 64x64 × 2, 80x48 × 2, 32x96 × 1, 48x80 × 1", lines);
    }

    [Fact]
    public void Build_SeveralSizes_GivesEachRowItsOwnLatents()
    {
        using var scope = NewDisposeScope();
        var dataset = DreamBoothDataset.Load(WithClass);
        LatentMoments Encode(Tensor pixels)
        {
            var small = nn.functional.avg_pool2d(pixels, 8);
            return new LatentMoments(small, small.abs() + 0.5);
        }

        using var cache = LatentCache.Build(dataset, Encode);
        Assert.Equal(dataset.DistinctViews.Count, cache.Count);
        foreach (var batch in dataset.Sampler(dataset.Count, 2, 3).Epoch(0))
        {
            var rows = dataset.Rows(batch, 0);
            using var moments = cache.Moments(rows);
            var expected = Encode(PixelTensors.Stack([.. rows.Select(row => dataset.LoadPicture(row.View))]));
            Assert.True(expected.Mean.allclose(moments.Mean, 1e-6, 1e-6));
            Assert.True(expected.Std.allclose(moments.Std, 1e-6, 1e-6));
        }

        Assert.Throws<ArgumentException>(() => cache.Moments(dataset.Rows([0, 1], 0)));
    }
}
