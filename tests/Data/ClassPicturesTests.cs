using System.Security.Cryptography;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

#pragma warning disable CA5350 // SHA-1 names files here, as in the reference.

namespace Dreambooth.Lab.Tests.Data;

public sealed class ClassPicturesTests : IDisposable
{
    private readonly PictureSamples _samples = new();
    private readonly List<(int Count, int Start)> _calls = [];

    public void Dispose() => _samples.Dispose();

    private IEnumerable<RgbImage> Generate(int count, int start)
    {
        _calls.Add((count, start));
        for (var i = start; i < start + count; i++)
            yield return PictureSamples.Draw(40, 40, i);
    }

    private string[] Names =>
        [.. Directory.GetFiles(_samples.Folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Fact]
    public void TopUp_NewFolder_GeneratesAllWithTheReferencesNames()
    {
        var folder = _samples.PathOf("new");
        Assert.Equal(2, ClassPictures.TopUp(folder, 2, Generate));
        Assert.Equal([(2, 0)], _calls);
        var expected = Enumerable.Range(0, 2)
            .Select(i => $"{i}-{Convert.ToHexStringLower(SHA1.HashData(PictureSamples.Draw(40, 40, i).Pixels))}.jpg");
        Assert.Equal(expected, Directory.GetFiles(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TopUp_PartlyFilledFolder_AddsWhatIsMissing()
    {
        _samples.Add("mine.png");
        _samples.Add("7-abc.jpg");
        Assert.Equal(3, ClassPictures.TopUp(_samples.Folder, 5, Generate));
        Assert.Equal([(3, 8)], _calls);
        Assert.Equal(["10", "7", "8", "9", "mine.png"], Names.Select(name => name.Split('-')[0]));
        Assert.Equal(0, ClassPictures.TopUp(_samples.Folder, 4, Generate));
        Assert.Single(_calls);
    }

    [Fact]
    public void TopUp_BrokenPicture_DoesNotCountOrIsRefused()
    {
        _samples.Add("0-a.jpg");
        _samples.AddText("1-b.jpg", "half a file");
        Assert.Throws<LabException>(() => ClassPictures.TopUp(_samples.Folder, 2, Generate));
        Assert.Equal(1, ClassPictures.TopUp(_samples.Folder, 2, Generate, BadImagePolicy.Skip));
        Assert.Equal([(1, 2)], _calls);
    }

    [Fact]
    public void TopUp_Cancelled_KeepsWhatIsDoneAndGoesOnLater()
    {
        using var source = new CancellationTokenSource();
        IEnumerable<RgbImage> Cancelling(int count, int start)
        {
            foreach (var (image, i) in Generate(count, start).Select((image, i) => (image, i)))
            {
                if (i == 2)
                    source.Cancel();
                yield return image;
            }
        }

        Assert.Throws<OperationCanceledException>(() => ClassPictures.TopUp(_samples.Folder, 5, Cancelling, cancellation: source.Token));
        Assert.Equal(2, Names.Length);
        Assert.Equal(3, ClassPictures.TopUp(_samples.Folder, 5, Generate));
        Assert.Equal((3, 2), _calls[^1]);
    }

    [Fact]
    public void TopUp_GeneratorYieldsTooFew_IsAnError()
    {
        var error = Assert.Throws<LabException>(
            () => ClassPictures.TopUp(_samples.Folder, 5, (count, start) => Generate(count - 1, start)));
        Assert.Contains("Only 4 of the 5", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TopUp_GeneratorYieldsTooMany_TakesWhatIsMissing()
    {
        Assert.Equal(2, ClassPictures.TopUp(_samples.Folder, 2, (count, start) => Generate(count + 3, start)));
        Assert.Equal(2, Names.Length);
    }
}
