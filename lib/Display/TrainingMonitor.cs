using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Monitors a training in a notebook: combines the events of its preparation and steps into one view of progress, losses and validation
/// pictures (<see cref="View"/>), and updates it. In a cell: <c>using (monitor.Live()) session.Run();</c>
/// </summary>
public sealed class TrainingMonitor
{
    private readonly Lock _lock = new();
    private readonly List<StepRecord> _records = [];
    private readonly List<(int Step, RgbImage Image)> _pictures = [];
    private readonly List<(int Step, RgbImage Image)> _without = [];
    private readonly List<string> _warnings = [];
    private readonly List<string> _summary = [];
    private readonly TimeProvider _time;
    private ProgressBar? _bar;
    private Action? _show;
    private int? _maxSteps;

    /// <summary>Creates it.</summary>
    /// <param name="records">Steps that were done already, as of a run that is gone on from; null for none.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <param name="judge">
    /// Opens what names the photo nearest to a validation picture (<see cref="DreamBoothConfig.WatchSteps"/>), for each training; null for
    /// none.
    /// </param>
    public TrainingMonitor(IEnumerable<StepRecord>? records = null, TimeProvider? time = null, Func<IPictureJudge>? judge = null)
    {
        _records.AddRange(records ?? []);
        _time = time ?? TimeProvider.System;
        Events = new TrainingEvents
        {
            OnStage = stage => Change(() => _bar = _bar is null ? null : _bar with { Note = stage }),
            OnSummary = line => Change(() => _summary.Add(line)),
            OnWarning = warning => Change(() => _warnings.Add(warning)),
            OnClassPicture = (done, count) => Change(() => Count("class pictures", "pictures", done, count)),
            OnEncoded = (done, count) => Change(() => Count("encoding", "pictures", done, count)),
            OnStart = trainer => Change(() => _maxSteps = trainer.MaxSteps),
            OnCheckpoint = checkpoint => Change(
                () => _bar = _bar is null ? null : _bar with { Note = $"checkpoint-{checkpoint.Step} written" }),
            OpenJudge = judge is null ? null : _ => judge(),
            OnPictureWithout = (step, image) => Change(() => _without.Add((step, image))),
            OnValidationPicture = (step, image) => Change(() => AddPicture(step, image)),
            OnStep = record => Change(() => AddStep(record)),
        };
    }

    /// <summary>The events for <see cref="TrainingSession.Prepare"/> and <see cref="PriorPictures.Make"/>.</summary>
    public TrainingEvents Events { get; }

    /// <summary>Every step so far.</summary>
    public IReadOnlyList<StepRecord> Records
    {
        get
        {
            lock (_lock)
                return [.. _records];
        }
    }

    /// <summary>A snapshot of the current state.</summary>
    public TrainingView View
    {
        get
        {
            lock (_lock)
            {
                return new TrainingView
                {
                    Bar = _bar is null ? null : _bar with { Now = _time.GetUtcNow() },
                    Records = [.. _records],
                    MaxSteps = _maxSteps,
                    Pictures = [.. _pictures],
                    PicturesWithout = [.. _without],
                    Summary = [.. _summary],
                    Warnings = [.. _warnings],
                };
            }
        }
    }

    /// <summary>
    /// Shows the state in the output of the running cell, and every change from now on, at most twice a second (<see cref="LiveView"/>).
    /// </summary>
    /// <returns>Ends it when it is disposed of, with the last state shown.</returns>
    public IDisposable Live() => Live(NotebookHost.Show(View));

    /// <summary>The same in another place.</summary>
    /// <param name="update">Shows a view in the place of the former.</param>
    internal IDisposable Live(Action<object> update)
    {
        lock (_lock)
        {
            _bar = null;
            var live = new LiveView(update, time: _time);
            _show = () => live.Update(() => View);
            return new Showing(this, live);
        }
    }

    private void Change(Action change)
    {
        lock (_lock)
            change();
        _show?.Invoke();
    }

    private void Count(string label, string unit, int done, int total)
    {
        if (_bar?.Label != label)
            _bar = new ProgressBar { Label = label, Unit = unit, Total = total, DoneAtStart = done - 1, Started = _time.GetUtcNow() };
        _bar = _bar with { Done = done, Total = total };
    }

    private void AddStep(StepRecord record)
    {
        // After resuming from a checkpoint the lost steps are repeated.
        _records.RemoveAll(earlier => earlier.Step >= record.Step);
        _records.Add(record);
        Count("training", "steps", record.Step, _maxSteps ?? record.Step);
        _bar = _bar! with { Note = FormattableString.Invariant($"loss {record.Loss:0.000}") };
    }

    // Only the pictures of the newest step.
    private void AddPicture(int step, RgbImage image)
    {
        if (_pictures.Count > 0 && _pictures[0].Step != step)
        {
            _pictures.Clear();
            _without.Clear();
        }

        _pictures.Add((step, image));
    }

    private sealed class Showing(TrainingMonitor monitor, LiveView live) : IDisposable
    {
        public void Dispose()
        {
            live.Update(() => monitor.View with { IsOver = true });
            live.Dispose();
            monitor._show = null;
        }
    }
}
