using System.Diagnostics;

namespace Dreambooth.Lab.Hub;

/// <summary>Counts bytes of concurrent downloads and reports at intervals, with the rate of the last seconds.</summary>
internal sealed class ProgressMeter(IProgress<HubProgress>? progress, long bytesTotal, int filesTotal)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<(long At, long Arrived)> _marks = new([(Stopwatch.GetTimestamp(), 0)]);
    private long _done;
    private long _arrived;
    private long _lastReport = Stopwatch.GetTimestamp();
    private int _files;

    /// <summary>Bytes that came over the network.</summary>
    public long Arrived => Interlocked.Read(ref _arrived);

    /// <summary>Counts bytes that came over the network.</summary>
    public void Arrive(long bytes) => Count(bytes, bytes);

    /// <summary>Counts bytes that were here already, or (negative) that must come again.</summary>
    public void Skip(long bytes) => Count(bytes, 0);

    /// <summary>Counts a file that is whole.</summary>
    public void Finish()
    {
        lock (_lock)
        {
            _files++;
            Report();
        }
    }

    private void Count(long bytes, long arrived)
    {
        lock (_lock)
        {
            _done += bytes;
            _arrived += arrived;
            if (Stopwatch.GetElapsedTime(_lastReport) >= Interval)
                Report();
        }
    }

    private void Report()
    {
        var now = Stopwatch.GetTimestamp();
        _lastReport = now;
        _marks.Enqueue((now, _arrived));
        while (_marks.Count > 2 && Stopwatch.GetElapsedTime(_marks.Peek().At, now) > Memory)
            _marks.Dequeue();
        var (at, before) = _marks.Peek();
        var seconds = Stopwatch.GetElapsedTime(at, now).TotalSeconds;
        progress?.Report(new HubProgress(_done, bytesTotal, seconds > 0 ? (_arrived - before) / seconds : 0, _files, filesTotal));
    }
}
