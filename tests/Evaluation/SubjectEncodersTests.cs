using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class SubjectEncodersTests : IDisposable
{
    private readonly SmallEncoders _folders = new();
    private readonly RgbImage[] _images = [.. Enumerable.Range(0, 3).Select(seed => PictureSamples.Draw(40, 50, seed))];

    public void Dispose() => _folders.Dispose();

    [Fact]
    public void Encode_WeightsOnDemand_IsWhatLoadedOnesGive()
    {
        using var kept = Load(onDemand: false);
        using var loaded = Load(onDemand: true);
        Assert.Null(kept.Hold());
        foreach (var images in (RgbImage[][])[_images, _images])
        {
            var (expected, actual) = (kept.Encode(images), loaded.Encode(images));
            for (var i = 0; i < images.Length; i++)
            {
                Assert.Equal(1, expected.Dino.Cosine(i, actual.Dino, i), 12);
                Assert.Equal(1, expected.Clip.Cosine(i, actual.Clip, i), 12);
            }
        }

        Assert.Equal(1, kept.Encode(["a cat"]).Cosine(0, loaded.Encode(["a cat"]), 0), 12);
    }

    [Fact]
    public void Hold_WeightsOnDemand_OnlyThenNeedsNoFiles()
    {
        using var encoders = Load(onDemand: true);
        var weights = Path.Combine(_folders.Clip, "model.safetensors");
        using (encoders.Hold())
        {
            File.Move(weights, weights + ".away");
            encoders.Encode(_images);
        }

        Assert.Throws<LabException>(() => encoders.Encode(_images));
        File.Move(weights + ".away", weights);
        encoders.Encode(_images);
    }

    [Fact]
    public void Score_TwoEvaluations_LeaveNoTensors()
    {
        foreach (var onDemand in (bool[])[false, true])
        {
            using var judge = new SubjectJudge(Load(onDemand), _images);
            Assert.Equal(0, LiveTensors.LeftBy(() => judge.Score("a cat", _images)));
        }
    }

    [Fact]
    public void Judge_RealPictures_AreEncodedBeforeTheNextIsDecoded()
    {
        var created = new List<long>();
        IEnumerable<RgbImage> Decoded()
        {
            foreach (var image in _images)
            {
                created.Add(DisposeScopeManager.Statistics.CreatedInScopeCount);
                yield return image;
            }
        }

        using var judge = new SubjectJudge(Load(onDemand: true), Decoded());
        Assert.Equal(_images.Length, created.Count);
        Assert.All(created.Zip(created.Skip(1)), pair => Assert.True(pair.Second > pair.First));
        using var encoders = Load(onDemand: false);
        Assert.Throws<LabException>(() => new SubjectJudge(encoders, _images[..1]));
        Assert.Throws<LabException>(() => new SubjectJudge(encoders, []));
    }

    private SubjectEncoders Load(bool onDemand) => SubjectEncoders.Load(
        _folders.Dino, _folders.Clip, ImageProtocol.Published, CPU, ScalarType.Float32, onDemand: onDemand);
}
