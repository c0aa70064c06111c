using System.Diagnostics;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// The time that a training run may take, and how far it is on the learning-rate schedule: several runs that follow each other share
/// one schedule, each a stretch of it.
/// </summary>
/// <param name="minutes">Minutes of training in this run, above 0.</param>
/// <param name="from">Where on the schedule the run begins, 0 to 1.</param>
/// <param name="to">Where it ends.</param>
/// <param name="maxSteps">Steps after which it ends in any case.</param>
/// <param name="before">Steps that earlier runs did; the rise of the rate is theirs too.</param>
internal sealed class TimeBox(double minutes, double from = 0, double to = 1, long maxSteps = long.MaxValue, long before = 0)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    /// <summary>Minutes since the box was opened or restarted, as <see cref="Look"/> saw them last.</summary>
    public double Minutes { get; private set; }

    /// <summary>Looks at the clock: rates and the end of the run are decided by what is seen here.</summary>
    /// <param name="agree">What the clock says to all who train together, or null.</param>
    public void Look(Func<double, double>? agree = null) =>
        Minutes = agree?.Invoke(_watch.Elapsed.TotalMinutes) ?? _watch.Elapsed.TotalMinutes;

    /// <summary>Whether the run is over.</summary>
    /// <param name="step">Steps that it did.</param>
    public bool IsOver(long step) => step >= maxSteps || Minutes >= minutes;

    /// <summary>Place on the whole schedule, 0 to 1.</summary>
    /// <param name="step">Steps that this run did.</param>
    public double Progress(long step) =>
        from + ((to - from) * Math.Clamp(Math.Max(Minutes / minutes, maxSteps == long.MaxValue ? 0 : (double)step / maxSteps), 0, 1));

    /// <summary>Factor of the learning rate: a linear rise at the begin of the first run, half a cosine over the whole schedule.</summary>
    /// <param name="step">Steps that this run did.</param>
    /// <param name="warmupSteps">Steps of the rise.</param>
    /// <param name="final">Factor at the end of the schedule.</param>
    public double RateFactor(long step, int warmupSteps, double final)
    {
        var cosine = 0.5 * (1 + Math.Cos(Math.PI * Progress(step)));
        return Math.Min(1, (before + step + 1.0) / Math.Max(1, warmupSteps)) * (final + ((1 - final) * cosine));
    }
}
