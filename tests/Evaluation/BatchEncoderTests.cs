using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tests.Data;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class BatchEncoderTests : IDisposable
{
    // Sums of products of a batch are formed in another order.
    private const double Tolerance = 1e-6;

    private readonly PictureSamples _pictures = new();
    private readonly SmallEncoders _folders = new();
    private readonly SubjectEncoders _encoders;
    private readonly string[] _files;

    public BatchEncoderTests()
    {
        _files = [.. Enumerable.Range(0, 7).Select(i => _pictures.Add($"{i}.png", 50 + i, 70 - i, i))];
        _encoders = SubjectEncoders.Load(_folders.Dino, _folders.Clip, ImageProtocol.Published, CPU, ScalarType.Float32);
    }

    public void Dispose()
    {
        _encoders.Dispose();
        _folders.Dispose();
        _pictures.Dispose();
    }

    [Fact]
    public void Encode_SeveralBatches_IsTheSameAsOneByOne()
    {
        var done = new List<int>();
        var batches = new BatchEncoder(_encoders, 3).Encode(_files, done.Add, CancellationToken.None);
        Assert.Equal([3, 6, 7], done);
        Assert.Equal((7, 7, 7), (batches.Dino.Count, batches.Clip.Count, batches.Surroundings!.Count));
        for (var i = 0; i < _files.Length; i++)
        {
            var one = _encoders.Encode([ImageDecoder.Load(_files[i])]);
            Assert.Equal(1, batches.Dino.Cosine(i, one.Dino, 0), Tolerance);
            Assert.Equal(1, batches.Clip.Cosine(i, one.Clip, 0), Tolerance);
        }
    }

    [Fact]
    public void Surroundings_ChangeInTheMiddle_ChangesNothing()
    {
        var image = PictureSamples.Draw(64, 64, 1);
        for (var i = 28; i < 36; i++)
            image[i, i] = (255, 0, 0);
        ImageEncoder.Save(_pictures.PathOf("middle.png"), image);
        var plain = _pictures.Add("plain.png", 64, 64, 1);
        var both = new BatchEncoder(_encoders).Encode([plain, _pictures.PathOf("middle.png")], null, CancellationToken.None);
        Assert.Equal(1, both.Surroundings!.Cosine(0, both.Surroundings, 1), 1e-12);
        Assert.NotEqual(1, both.Dino.Cosine(0, both.Dino, 1), 1e-9);
    }

    [Fact]
    public void Encode_BrokenFile_IsNamed()
    {
        var broken = _pictures.AddText("broken.png", "no picture");
        var encoder = new BatchEncoder(_encoders, 2);
        var error = Assert.Throws<LabException>(() => encoder.Encode([.. _files, broken], null, CancellationToken.None));
        Assert.Contains(broken, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_Cancelled_Ends()
    {
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(
            () => new BatchEncoder(_encoders, 1).Encode(_files, _ => source.Cancel(), source.Token));
    }
}
