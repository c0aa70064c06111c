using System.Collections.Concurrent;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Encodes picture files in batches: while the encoders compute, the next batches are decoded and prepared on the other processor cores, at
/// most two ahead.
/// </summary>
/// <param name="encoders">The encoders; they stay the caller's.</param>
/// <param name="batchSize">Pictures at a time, at least 1.</param>
internal sealed class BatchEncoder(SubjectEncoders encoders, int batchSize = BatchEncoder.DefaultBatchSize)
{
    public const int DefaultBatchSize = 16;

    private const int Ahead = 2;

    /// <summary>Encodes pictures.</summary>
    /// <param name="files">Their files, at least one.</param>
    /// <param name="onDone">Told how many are done; null for nobody.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <returns>Their embeddings in order, with surroundings.</returns>
    /// <exception cref="LabException">A file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public SubjectEmbeddings Encode(IReadOnlyList<string> files, Action<int>? onDone, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var queue = new BlockingCollection<EncoderInput>(Ahead);
        var producer = Task.Run(() => Prepare(files, queue, stop.Token), CancellationToken.None);
        var parts = new List<SubjectEmbeddings>();
        var done = 0;
        try
        {
            foreach (var input in queue.GetConsumingEnumerable(cancellation))
            {
                using (input)
                    parts.Add(encoders.Encode(input));
                onDone?.Invoke(done = Math.Min(done + batchSize, files.Count));
            }
        }
        finally
        {
            stop.Cancel();
            // What ended the producer is thrown below; here only its end counts.
            Task.WaitAny([producer], CancellationToken.None);
            while (queue.TryTake(out var left))
                left.Dispose();
        }

        producer.GetAwaiter().GetResult();
        return SubjectEmbeddings.Join(parts);
    }

    private void Prepare(IReadOnlyList<string> files, BlockingCollection<EncoderInput> queue, CancellationToken stop)
    {
        try
        {
            foreach (var batch in files.Chunk(batchSize))
            {
                stop.ThrowIfCancellationRequested();
                var images = Decode(batch, stop);
                var input = encoders.Prepare(images);
                try
                {
                    queue.Add(input, stop);
                }
                catch
                {
                    input.Dispose();
                    throw;
                }
            }
        }
        finally
        {
            queue.CompleteAdding();
        }
    }

    private static RgbImage[] Decode(string[] files, CancellationToken stop)
    {
        try
        {
            return [.. files.AsParallel().AsOrdered().WithCancellation(stop).Select(ImageDecoder.LoadOverWhite)];
        }
        catch (AggregateException error) when (error.InnerExceptions.OfType<LabException>().FirstOrDefault() is { } first)
        {
            throw new LabException(first.Message, error);
        }
    }
}
