using Dreambooth.Lab.Data;

namespace Dreambooth.Lab.Tests.Data;

public sealed class AspectBucketsTests
{
    // Sizes of table 2 of the SDXL report.
    [Theory]
    [InlineData(1024, 1024)]
    [InlineData(512, 2048)]
    [InlineData(640, 1536)]
    [InlineData(768, 1344)]
    [InlineData(832, 1216)]
    [InlineData(896, 1152)]
    [InlineData(1344, 768)]
    [InlineData(1536, 640)]
    public void Of_1024InStepsOf64_HasPublishedSizes(int width, int height) =>
        Assert.Contains(new PictureSize(width, height), AspectBuckets.Of(1024, 64));

    [Theory]
    [InlineData(1024, 64)]
    [InlineData(512, 64)]
    [InlineData(512, 16)]
    [InlineData(128, 16)]
    [InlineData(64, 64)]
    [InlineData(16, 16)]
    public void Of_AnyResolution_HasTheSquareAndNoLargerArea(int resolution, int step)
    {
        var sizes = AspectBuckets.Of(resolution, step);
        Assert.Contains(new PictureSize(resolution, resolution), sizes);
        Assert.Equal(sizes.Count, sizes.Distinct().Count());
        Assert.All(sizes, size =>
        {
            Assert.True(size.Width > 0 && size.Height > 0 && size.Width % step == 0 && size.Height % step == 0);
            Assert.True(size.Width * size.Height <= resolution * resolution && Math.Max(size.Width, size.Height) <= 2 * resolution);
            Assert.True(Math.Max(size.Width, size.Height) < step + (resolution * resolution / Math.Min(size.Width, size.Height)));
            Assert.Contains(new PictureSize(size.Height, size.Width), sizes);
        });
    }

    [Theory]
    [InlineData(3000, 2000, 1216, 832)]
    [InlineData(2000, 3000, 832, 1216)]
    [InlineData(4000, 3000, 1152, 896)]
    [InlineData(1920, 1080, 1344, 768)]
    [InlineData(500, 500, 1024, 1024)]
    [InlineData(9000, 1000, 2048, 512)]
    public void Nearest_Photos_GetTheSizeOfTheirShape(int width, int height, int bucketWidth, int bucketHeight) =>
        Assert.Equal(new PictureSize(bucketWidth, bucketHeight), AspectBuckets.Nearest(AspectBuckets.Of(1024, 64), width, height));

    [Fact]
    public void Cover_AnyPicture_HoldsTheBucketWithLessThanAPixelOfDistortion()
    {
        var draws = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            int width = draws.Next(32, 6000), height = draws.Next(32, 6000);
            var bucket = AspectBuckets.Nearest(AspectBuckets.Of(512, 64), width, height);
            var whole = AspectBuckets.Cover(width, height, bucket);
            Assert.True(whole.Width >= bucket.Width && whole.Height >= bucket.Height, $"{width}x{height}: {whole} {bucket}");
            Assert.True(whole.Width == bucket.Width || whole.Height == bucket.Height);
            var scale = Math.Max((double)bucket.Width / width, (double)bucket.Height / height);
            Assert.InRange(whole.Width - (scale * width), -1, 1e-9);
            Assert.InRange(whole.Height - (scale * height), -1, 1e-9);
        }
    }
}
