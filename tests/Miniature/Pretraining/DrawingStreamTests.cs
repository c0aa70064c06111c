using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public class DrawingStreamTests
{
    private const int Count = DrawingStream.ChunkSize + 10;

    private static byte[] Draw(int number) => [(byte)number, (byte)(number >> 8)];

    private static List<byte> TakeAll(DrawingStream stream)
    {
        var all = new List<byte>();
        while (stream.TryTake(wait: true, out var chunk))
        {
            Assert.Equal(all.Count / stream.BytesEach, chunk.First);
            all.AddRange(chunk.Pixels);
        }

        return all;
    }

    [Fact]
    public void TryTake_AllChunks_ComeInOrder()
    {
        using var stream = new DrawingStream(Count, 2, Draw, "d", null, 4, default);
        Assert.Equal(Enumerable.Range(0, Count).SelectMany(Draw), TakeAll(stream));
    }

    [Fact]
    public void Folder_SecondRun_ReadsInsteadOfRendering()
    {
        using var folder = new TemporaryFolder();
        using (var first = new DrawingStream(Count, 2, Draw, "d", folder.Path, 2, default))
            TakeAll(first);
        using var second = new DrawingStream(
            Count, 2, _ => throw new InvalidOperationException("rendered again"), "d", folder.Path, 2, default);
        Assert.Equal(Enumerable.Range(0, Count).SelectMany(Draw), TakeAll(second));
    }

    [Fact]
    public void Folder_ChunkOfAnotherLength_IsRenderedAgain()
    {
        using var folder = new TemporaryFolder();
        using (var first = new DrawingStream(5, 2, Draw, "d", folder.Path, 2, default))
            TakeAll(first);
        using var second = new DrawingStream(9, 2, Draw, "d", folder.Path, 2, default);
        Assert.Equal(Enumerable.Range(0, 9).SelectMany(Draw), TakeAll(second));
    }

    [Fact]
    public void TryTake_RenderingFails_Throws()
    {
        using var stream = new DrawingStream(5, 2, _ => throw new InvalidOperationException("broken"), "d", null, 2, default);
        Assert.ThrowsAny<Exception>(() => TakeAll(stream));
    }
}
