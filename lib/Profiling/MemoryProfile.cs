namespace Dreambooth.Lab.Profiling;

/// <summary>What a <see cref="MemoryTimeline"/> measured of a run.</summary>
/// <param name="Figure">The figure that <see cref="Phases"/> speak of: the best that there is for the run's device.</param>
/// <param name="Baseline">The first sample: what was held before the run. Phases count from here.</param>
/// <param name="Samples">All readings, in order of time.</param>
/// <param name="Phases">The phases, in order of time.</param>
public sealed record MemoryProfile(
    MemoryFigure Figure, MemorySample Baseline, IReadOnlyList<MemorySample> Samples, IReadOnlyList<MeasuredPhase> Phases)
{
    /// <summary>What the figure means, a sentence.</summary>
    public string FigureText => Figure switch
    {
        MemoryFigure.Device =>
            "GPU memory in use as the driver (NVML) sees it, over what was in use before: libtorch's tensors, what its allocator keeps "
            + "reserved, and the CUDA context.",
        MemoryFigure.Allocated =>
            "CPU memory that native code has allocated (glibc's count), over what it had before: libtorch's tensors, and little else.",
        _ => "Resident memory of the process over what it was before: tensors, and freed pages that were not given back.",
    };

    /// <summary>The most that was held at once in any phase, over the baseline, in bytes.</summary>
    public long Peak => Phases.Count == 0 ? 0 : Phases.Max(phase => phase.Peak);

    /// <summary>The most that phases of a name held at once, over the baseline, in bytes; null when there was none.</summary>
    /// <param name="phase">The name.</param>
    public long? PeakOf(string phase)
    {
        var peaks = Phases.Where(entry => entry.Name == phase).Select(entry => entry.Peak).ToList();
        return peaks.Count == 0 ? null : peaks.Max();
    }

    /// <summary>The profile's figure of a sample, over the baseline, in bytes.</summary>
    /// <param name="sample">One of <see cref="Samples"/>.</param>
    public long Value(MemorySample sample) => Raw(Figure, sample) - Raw(Figure, Baseline);

    /// <summary>Puts samples and marks together.</summary>
    internal static MemoryProfile Of(IReadOnlyList<MemorySample> samples)
    {
        var baseline = samples[0];
        var figure = baseline.Device is not null
            ? MemoryFigure.Device
            : baseline.Allocated is not null ? MemoryFigure.Allocated : MemoryFigure.Resident;
        var phases = new List<MeasuredPhase>();
        for (var i = 0; i < samples.Count;)
        {
            var first = i;
            while (i < samples.Count && samples[i].Phase == samples[first].Phase)
                i++;
            if (samples[first].Phase.Length == 0)
                continue;
            long Value(int index) => Raw(figure, samples[index]) - Raw(figure, baseline);
            phases.Add(new MeasuredPhase(
                samples[first].Phase, samples[first].Seconds, samples[i - 1].Seconds, Value(first),
                Enumerable.Range(first, i - first).Max(Value), Value(i - 1)));
        }

        return new MemoryProfile(figure, baseline, samples, phases);
    }

    private static long Raw(MemoryFigure figure, MemorySample sample) => figure switch
    {
        MemoryFigure.Device => sample.Device ?? 0,
        MemoryFigure.Allocated => sample.Allocated ?? 0,
        _ => sample.Resident,
    };
}
