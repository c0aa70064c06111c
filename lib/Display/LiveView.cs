using System.Diagnostics;

namespace Dreambooth.Lab.Display;

/// <summary>
/// Updates a view while work runs, with a limited rate: an early update is held back and shown with the next one, or by
/// <see cref="Flush"/>. Views that take long to create or to show are updated more rarely, so that updates take about a tenth of the time.
/// In a cell: <c>using (var live = LiveView.Show(bar))</c>.
/// </summary>
public sealed class LiveView : IDisposable
{
    private const int PauseForCost = 9;

    private readonly Action<object> _update;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private Func<object>? _waiting;
    private long? _last;
    private TimeSpan _pause;

    /// <summary>Creates it.</summary>
    /// <param name="update">Shows a view in the place of the former.</param>
    /// <param name="interval">Time between two updates, null for half a second.</param>
    /// <param name="time">The clock; null for the system's.</param>
    public LiveView(Action<object> update, TimeSpan? interval = null, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(update);
        (_update, Interval, _time) = (update, interval ?? TimeSpan.FromSeconds(0.5), time ?? TimeProvider.System);
    }

    /// <summary>Shows a view in the output of the running cell, to be updated from now on; outside cells nothing is shown.</summary>
    /// <param name="view">The view.</param>
    /// <param name="interval">Time between two updates, null for half a second.</param>
    public static LiveView Show(HtmlView view, TimeSpan? interval = null)
    {
        ArgumentNullException.ThrowIfNull(view);
        return new LiveView(NotebookHost.Show(view), interval);
    }

    /// <summary>Least time between two updates.</summary>
    public TimeSpan Interval { get; }

    /// <summary>Shows a view, or holds it back when the last update was too recent. From any thread.</summary>
    /// <param name="view">The view.</param>
    public void Update(HtmlView view) => Update(() => view);

    /// <summary>The same for a view that is expensive to create: it is created only when it is shown.</summary>
    /// <param name="view">Makes the view.</param>
    public void Update(Func<HtmlView> view)
    {
        ArgumentNullException.ThrowIfNull(view);
        lock (_lock)
        {
            _waiting = view;
            if (_last is not { } last || _time.GetElapsedTime(last) >= _pause)
                ShowWaiting();
        }
    }

    /// <summary>Shows what was held back.</summary>
    public void Flush()
    {
        lock (_lock)
        {
            if (_waiting is not null)
                ShowWaiting();
        }
    }

    /// <summary>The same as <see cref="Flush"/>.</summary>
    public void Dispose() => Flush();

    private void ShowWaiting()
    {
        Debug.Assert(_waiting is not null);
        var started = _time.GetTimestamp();
        var view = _waiting();
        _waiting = null;
        _update(view);
        _last = _time.GetTimestamp();
        var needed = PauseForCost * _time.GetElapsedTime(started, _last.Value);
        _pause = needed > Interval ? needed : Interval;
    }
}
