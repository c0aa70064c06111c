namespace Dreambooth.Lab.Imaging;

/// <summary>
/// Memory that concurrent decoders share. Each waits until its part is free; one that needs more than the whole runs alone.
/// </summary>
/// <param name="bytes">The whole budget.</param>
internal sealed class DecodeBudget(long bytes)
{
    private readonly object _gate = new();
    private long _taken;

    /// <summary>What the contents of all files that are being decoded share: as much as the largest file that is read.</summary>
    public static DecodeBudget Files { get; } = new(ImageDecoder.MaxBytes);

    /// <summary>
    /// What the pixels of all decoders of this process share, eight photos of 12 megapixels. It is asked for after <see cref="Files"/>, so
    /// that a holder of both never waits.
    /// </summary>
    public static DecodeBudget Pixels { get; } = new(768L << 20);

    /// <summary>Runs some work once its memory is free.</summary>
    /// <typeparam name="T">What the work gives.</typeparam>
    /// <param name="needed">Bytes that it takes.</param>
    /// <param name="work">The work; it must not ask for a part of this budget itself.</param>
    public T Run<T>(long needed, Func<T> work)
    {
        var part = Math.Min(needed, bytes);
        lock (_gate)
        {
            while (_taken + part > bytes)
                Monitor.Wait(_gate);
            _taken += part;
        }

        try
        {
            return work();
        }
        finally
        {
            lock (_gate)
            {
                _taken -= part;
                Monitor.PulseAll(_gate);
            }
        }
    }
}
