using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Lessons;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Data;

public sealed class PhotoReviewTests : IDisposable
{
    private static readonly string _photos = Path.Combine(ProjectFolder.Find(AppContext.BaseDirectory), "data", "cat_gmc");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_TheShippedPhotos_FindsNothing()
    {
        var review = PhotoReview.Of(_photos, 128);
        Assert.Equal(24, review.Good.Count);
        Assert.Empty(review.Alike);
    }

    [Fact]
    public void Of_DamagedPhotos_FindsEachForItsReason()
    {
        DamagedPhotos.Make(_photos, _folder.Path);
        var review = PhotoReview.Of(_folder.Path, 128);
        string Remarks(string name) => string.Join("; ", review.Photos.Single(photo => photo.Name == name).Remarks);
        Assert.Contains("blurred", Remarks("x_blurred.png"), StringComparison.Ordinal);
        Assert.Contains("too small", Remarks("x_small.png"), StringComparison.Ordinal);
        Assert.Contains("looks like gmc_000.png", Remarks("x_copy.jpg"), StringComparison.Ordinal);
        Assert.Contains("the crop keeps", Remarks("x_wide.png"), StringComparison.Ordinal);
        Assert.Equal(6, review.Good.Count);
        Assert.Equal(review.Photos.Single(photo => photo.Name == "x_wide.png").Crop.Width, review.CropPreview(review.Photos[0]).Height);
    }

    [Fact]
    public void Prepare_GoodPhotos_CopiesThemWithCaptions()
    {
        var review = PhotoReview.Of(_photos, 128);
        Assert.Equal(
            2, PhotoReview.Prepare(
                review.Good.Take(2), _folder.Path, photo => photo.Name == "gmc_000.png" ? "a photo of gmc cat in a wood" : null));
        var dataset = DreamBoothDataset.Load(
            new DreamBoothDatasetOptions { InstanceDataDir = _folder.Path, InstancePrompt = "a photo of gmc cat", Resolution = 128 });
        Assert.Equal(["a photo of gmc cat in a wood", "a photo of gmc cat"], dataset.DistinctPrompts);
    }
}
