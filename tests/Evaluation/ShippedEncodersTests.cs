using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

/// <summary>The small encoders that ship, on painted pictures that their training did not see.</summary>
public sealed class ShippedEncodersTests(ITestOutputHelper output) : IDisposable
{
    private const int Cats = 48;

    private static readonly string Data = Path.Combine(GoldenSet.RepositoryRoot, "data");

    private readonly SubjectEncoders _encoders = SubjectEncoders.Load(
        Path.Combine(Data, "sd3-mini-encoders", "dino"), Path.Combine(Data, "sd3-mini-encoders", "clip"), ImageProtocol.Published, CPU,
        ScalarType.Float32);

    public void Dispose() => _encoders.Dispose();

    [Fact]
    public void Dino_PhotosOfTheGmcCat_AreNearerToEachOtherThanToSimilarCats()
    {
        using var scope = NewDisposeScope();
        var real = _encoders.Encode(RealPictures.Load(Path.Combine(Data, "cat_gmc"))).Dino;
        var others = _encoders.Encode(
            [.. Enumerable.Range(0, Cats).Select(i => WorldRenderer.Render(SimilarCats.Draw(960_000_000UL + (ulong)i)))]).Dino;
        var own = SubjectScores.Ceiling(real);
        var similar = SubjectScores.Fidelity(others, real);
        Assert.True(own.Average() > similar.Average() + 0.15, $"{own.Average()} among photos, {similar.Average()} to similar cats");
        var mistaken = similar.Count(value => value > own.Average());
        output.WriteLine($"{own.Average():F3} among photos, {similar.Average():F3} to similar cats, {mistaken} of {Cats} nearer");
        Assert.True(mistaken <= Cats / 4, $"{mistaken} of {Cats} similar cats are taken for the gmc cat");
    }

    [Fact]
    public void Dino_ACopyOfATrainingPicture_IsFoundInOtherLight()
    {
        using var scope = NewDisposeScope();
        var photos = RealPictures.Load(Path.Combine(Data, "cat_gmc"));
        var search = new CopySearch(_encoders.Encode(photos).Dino);
        var dimmed = photos.Select(
            photo => new RgbImage(photo.Width, photo.Height, [.. photo.Pixels.Select(level => (byte)(level * 0.97))]));
        var found = search.Find(_encoders.Encode([.. dimmed]).Dino);
        Assert.Equal(Enumerable.Range(0, photos.Count), found.Select(nearest => nearest.Index));
        Assert.All(found, nearest => Assert.True(nearest.IsCopy));
    }

    [Fact]
    public void Clip_PicturesOfTwoPlaces_FitTheirOwnCaptionBest()
    {
        using var scope = NewDisposeScope();
        SceneKind[] places = [SceneKind.Beach, SceneKind.Snow];
        var pictures = _encoders.Encode([.. Enumerable.Range(0, Cats).Select(i => WorldRenderer.Render(new WorldSpec
        {
            Kind = (SubjectKind)(i % 9),
            Colour = (SubjectColour)(i % 11),
            Pose = SubjectTraits.Poses((SubjectKind)(i % 9))[0],
            Scene = places[i % 2],
            DetailSeed = 950_000_000UL + (ulong)i,
        }))]).Clip;
        var captions = _encoders.Encode(["a photo of a cat on a beach", "a photo of a cat in the snow"]);
        var right = Enumerable.Range(0, Cats)
            .Count(i => pictures.Cosine(i, captions, i % 2) > pictures.Cosine(i, captions, 1 - (i % 2)));
        Assert.True(right >= 0.9 * Cats, $"{right} of {Cats}");
    }
}
