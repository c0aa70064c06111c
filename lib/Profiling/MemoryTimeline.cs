using System.Diagnostics;
using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Profiling;

/// <summary>
/// Samples memory while something runs: a thread takes a reading every few milliseconds, and marks say which phase each belongs to. A peak
/// that is shorter than the interval may be missed; a reading is taken at the beginning and the end of every phase besides.
/// </summary>
internal sealed class MemoryTimeline : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<MemorySample> _samples = [];
    private readonly int? _gpu;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _ended = new();
    private string _phase = string.Empty;

    /// <summary>Starts to sample.</summary>
    /// <param name="gpu">Index of the GPU whose memory is read, or null for a run on the CPU.</param>
    /// <param name="interval">Time between readings; null for 2 ms, or 10 ms with a GPU.</param>
    public MemoryTimeline(int? gpu = null, TimeSpan? interval = null)
    {
        _gpu = gpu;
        var pause = interval ?? TimeSpan.FromMilliseconds(gpu is null ? 2 : 10);
        Sample();
        _thread = new Thread(() =>
        {
            while (!_ended.Wait(pause))
                Sample();
        })
        { IsBackground = true, Name = "memory timeline" };
        _thread.Start();
    }

    /// <summary>Runs something as a phase.</summary>
    /// <param name="phase">Its name; not empty. Phases do not nest.</param>
    /// <param name="work">What is done.</param>
    public void Run(string phase, Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Run<object?>(phase, () =>
        {
            work();
            return null;
        });
    }

    /// <summary>Runs something as a phase.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="phase">Its name; not empty. Phases do not nest.</param>
    /// <param name="work">What is done.</param>
    public T Run<T>(string phase, Func<T> work)
    {
        ArgumentException.ThrowIfNullOrEmpty(phase);
        ArgumentNullException.ThrowIfNull(work);
        if (_phase.Length > 0)
            throw new InvalidOperationException($"The phase '{phase}' cannot begin inside the phase '{_phase}'.");
        Mark(phase);
        try
        {
            return work();
        }
        finally
        {
            Sample();
            Mark(string.Empty);
        }
    }

    /// <summary>What was measured so far.</summary>
    public MemoryProfile Profile()
    {
        lock (_lock)
            return MemoryProfile.Of([.. _samples]);
    }

    /// <summary>Stops sampling; the samples stay.</summary>
    public void Dispose()
    {
        _ended.Set();
        if (_thread.IsAlive)
            _thread.Join();
    }

    private void Mark(string phase)
    {
        lock (_lock)
        {
            _phase = phase;
            Sample();
        }
    }

    private void Sample()
    {
        lock (_lock)
        {
            var memory = ProcessMemory.Read();
            _samples.Add(
                new MemorySample(
                    _clock.Elapsed.TotalSeconds, _phase, memory.Resident, memory.Allocated,
                    _gpu is { } index ? GpuMemory.Read(index)?.Used : null));
        }
    }
}
