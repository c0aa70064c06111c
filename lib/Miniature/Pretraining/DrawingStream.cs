using System.Collections.Concurrent;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Paints pictures on several threads ahead of their use, in chunks of consecutive numbers; with a folder, each chunk is
/// kept there as a file of raw pixels and read again by later runs.
/// </summary>
internal sealed class DrawingStream : IDisposable
{
    /// <summary>Painted pictures in a chunk.</summary>
    public const int ChunkSize = 1024;

    private readonly BlockingCollection<(int First, byte[] Pixels)> _chunks = new(boundedCapacity: 16);
    private readonly CancellationTokenSource _stop;
    private readonly Task _work;

    /// <summary>Starts rendering.</summary>
    /// <param name="count">How many painted pictures; the last chunk may be shorter.</param>
    /// <param name="bytesEach">Bytes of a painted picture.</param>
    /// <param name="render">Gives the pixels of a painted picture by its number, 0 to count − 1; called from several threads.</param>
    /// <param name="name">Name of the chunks' files.</param>
    /// <param name="folder">Where chunks are kept, or null.</param>
    /// <param name="threads">Threads that render.</param>
    /// <param name="cancellation">Ends the rendering.</param>
    public DrawingStream(
        int count, int bytesEach, Func<int, byte[]> render, string name, string? folder, int threads, CancellationToken cancellation)
    {
        (Count, BytesEach) = (count, bytesEach);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _work = Task.Run(() => Work(render, name, folder, threads), CancellationToken.None);
    }

    /// <summary>How many painted pictures there will be.</summary>
    public int Count { get; }

    /// <summary>Bytes of a painted picture.</summary>
    public int BytesEach { get; }

    /// <summary>Takes the next chunk.</summary>
    /// <param name="wait">Whether to wait for one.</param>
    /// <param name="chunk">Number of its first painted picture, and the pictures' pixels one after another.</param>
    /// <returns>False when there is none (yet).</returns>
    public bool TryTake(bool wait, out (int First, byte[] Pixels) chunk)
    {
        if (_work.IsFaulted)
            _work.GetAwaiter().GetResult();
        var taken = _chunks.TryTake(out chunk, wait ? Timeout.Infinite : 0);
        if (!taken && wait) // The chunks end a moment before the task that makes them does, and its failure is known only then.
            _work.GetAwaiter().GetResult();
        return taken;
    }

    /// <summary>Ends the rendering.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        Task.WaitAny(_work);
        _chunks.Dispose();
        _stop.Dispose();
    }

    private void Work(Func<int, byte[]> render, string name, string? folder, int threads)
    {
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = _stop.Token };
            for (var first = 0; first < Count; first += ChunkSize)
            {
                var path = folder is null ? null : Path.Combine(folder, $"{name}-{first / ChunkSize:D5}.rgb");
                var size = Math.Min(ChunkSize, Count - first);
                var pixels = path is not null && File.Exists(path) && new FileInfo(path).Length == (long)size * BytesEach
                    ? File.ReadAllBytes(path)
                    : null;
                if (pixels is null)
                {
                    pixels = new byte[size * BytesEach];
                    var start = first;
                    Parallel.For(0, size, options, i => render(start + i).CopyTo(pixels, i * BytesEach));
                    if (path is not null)
                        AtomicFile.Write(path, stream => stream.Write(pixels));
                }

                _chunks.Add((first, pixels), _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The consumer has stopped.
        }
        finally
        {
            _chunks.CompleteAdding();
        }
    }
}
