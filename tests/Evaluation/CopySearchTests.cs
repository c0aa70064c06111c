using Dreambooth.Lab.Evaluation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class CopySearchTests
{
    [Fact]
    public void Find_MoreAlikeThanTrainingPicturesAmongThemselves_IsACopy()
    {
        using var scope = NewDisposeScope();
        // Training pictures 0 and 2 stand at 45 degrees.
        var search = new CopySearch(SubjectScoresTests.Vectors(new float[,] { { 1, 0 }, { 0, -1 }, { 1, 1 } }));
        Assert.Equal(Math.Sqrt(0.5), search.Threshold!.Value, 1e-12);
        var found = search.Find(SubjectScoresTests.Vectors(new float[,] { { 0, -9 }, { -1, 1 }, { 1, -1 }, { 2, 1 } }));
        Assert.Equal([1, 2, 0, 2], found.Select(nearest => nearest.Index));
        Assert.Equal([true, false, false, true], found.Select(nearest => nearest.IsCopy));
        Assert.Equal(1, found[0].Similarity, 1e-12);
        Assert.Equal(3 / Math.Sqrt(10), found[3].Similarity, 1e-12);
    }

    [Fact]
    public void Threshold_APhotoThatIsThereTwice_IsThatOfDifferentPhotos()
    {
        using var scope = NewDisposeScope();
        var search = new CopySearch(SubjectScoresTests.Vectors(new float[,] { { 1, 0 }, { 3, 0 }, { 1, 1 } }));
        Assert.Equal(Math.Sqrt(0.5), search.Threshold!.Value, 1e-7);
        Assert.True(Assert.Single(search.Find(SubjectScoresTests.Vectors(new float[,] { { 2, 0 } }))).IsCopy);
        Assert.Null(new CopySearch(SubjectScoresTests.Vectors(new float[,] { { 1, 2 }, { 2, 4 } })).Threshold);
    }

    [Fact]
    public void Find_OneTrainingPicture_SaysNothingOfCopies()
    {
        using var scope = NewDisposeScope();
        var search = new CopySearch(SubjectScoresTests.Vectors(new float[,] { { 1, 0 } }));
        Assert.Null(search.Threshold);
        var nearest = Assert.Single(search.Find(SubjectScoresTests.Vectors(new float[,] { { 1, 0 } })));
        Assert.Equal(1, nearest.Similarity, 1e-12);
        Assert.False(nearest.IsCopy);
    }
}
