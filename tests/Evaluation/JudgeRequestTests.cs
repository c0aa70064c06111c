using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Imaging;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class JudgeRequestTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly SmallEncoders _encoders = new();

    public JudgeRequestTests()
    {
        _pictures.AddMany(3);
    }

    public void Dispose()
    {
        _pictures.Dispose();
        _encoders.Dispose();
    }

    [Fact]
    public void Open_MiniatureAndItsOwnPhotos_IsTheClassifier()
    {
        using var judge = new JudgeRequest { Model = Data("sd3-mini"), Photos = Data("cat_gmc") }.Open();
        Assert.IsType<CharacterMeasures>(judge);
        Assert.InRange(judge.Ceiling, 0.5, 1);
    }

    [Fact]
    public void Open_NothingThatKnowsThePhotos_NamesWhatIsNeeded()
    {
        var mine = Assert.Throws<LabException>(() => new JudgeRequest { Model = Data("sd3-mini"), Photos = _pictures.Folder }.Open());
        Assert.Contains("evaluation_dino, such as facebook/dinov2-small", mine.Message, StringComparison.Ordinal);
        var full = Assert.Throws<LabException>(() => new JudgeRequest { Model = "a/b", Photos = Data("cat_gmc") }.Open());
        Assert.Equal(mine.Message, full.Message);
    }

    [Fact]
    public void Open_Encoders_ScoresARealPictureAsTheMostSimilar()
    {
        using var judge = Encoders(ImageProtocol.Published).Open();
        Assert.Equal("DINO dino-vit, CLIP small-clip, protocol published", judge.Name);
        var images = new[] { PictureSamples.Draw(40, 50, 77), ImageDecoder.Load(Path.Combine(_pictures.Folder, "1.png")) };
        var scores = judge.Score("a cat", images);
        Assert.Equal(1, scores[1][SubjectJudge.NearestScore], 5);
        Assert.True(scores[0][SubjectJudge.NearestScore] < 0.9999);
        Assert.All(judge.Score("a cat", images[0]), score => Assert.Equal(score.Value, scores[0][score.Key], 5));
        Assert.Empty(judge.Score("a cat", []));
        using var paper = Encoders(ImageProtocol.Paper).Open();
        Assert.EndsWith("protocol paper", paper.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Fingerprint_OtherPhotosOrWeights_IsAnother()
    {
        var request = Encoders(ImageProtocol.Published);
        string Fingerprint()
        {
            using var judge = request.Open();
            return judge.Fingerprint;
        }

        var first = Fingerprint();
        Assert.Equal(first, Fingerprint());
        _pictures.Add("2.png", seed: 9);
        var photos = Fingerprint();
        Assert.NotEqual(first, photos);
        File.SetLastWriteTimeUtc(Path.Combine(_encoders.Clip, "model.safetensors"), DateTime.UnixEpoch);
        Assert.NotEqual(photos, Fingerprint());
    }

    [Fact]
    public void Fingerprint_TransparentPhoto_IsThatOfTheSamePhotoOverWhite()
    {
        var request = Encoders(ImageProtocol.Published);
        string Fingerprint()
        {
            using var judge = request.Open();
            return judge.Fingerprint;
        }

        var glass = _pictures.PathOf("3.webp");
        File.WriteAllBytes(glass, PlainWebp.Of(48, 40, alpha: 0));
        var transparent = Fingerprint();
        File.Delete(glass);
        var white = new RgbImage(48, 40);
        white.Pixels.AsSpan().Fill(255);
        ImageEncoder.Save(_pictures.PathOf("3.png"), white);
        Assert.Equal(Fingerprint(), transparent);
    }

    [Fact]
    public void Open_Encoders_CeilingIsTheMeanCosineOfThePhotosAmongThemselves()
    {
        using var judge = Encoders(ImageProtocol.Published).Open();
        var images = Enumerable.Range(0, 3).Select(i => ImageDecoder.Load(_pictures.PathOf($"{i}.png"))).ToArray();
        // Each photo's fidelity holds itself, with cosine 1, among the three.
        var fidelity = judge.Score("a cat", images).Average(scores => scores[judge.FidelityScore]);
        Assert.Equal(((3 * fidelity) - 1) / 2, judge.Ceiling, 1e-5);
    }

    private JudgeRequest Encoders(ImageProtocol protocol) => new()
    {
        Model = "a/b",
        Photos = _pictures.Folder,
        Dino = _encoders.Dino,
        Clip = _encoders.Clip,
        Protocol = protocol,
        Device = "cpu",
    };

    private static string Data(string name) => Path.Combine(GoldenSet.RepositoryRoot, "data", name);
}
