using System.Runtime.ExceptionServices;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// One run of a cell on a thread of its own. Continuations of the cell's awaits come back to that thread while it waits for them, and go to
/// the thread pool while it is busy, so that blocking on a task cannot lock up. A cell that is interrupted in an await gets a moment to end
/// by itself (cancelled library calls, finally blocks); then it is abandoned and never continues.
/// </summary>
internal sealed class CellRun : SynchronizationContext, IDisposable
{
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(40);
    private const int AbandonMilliseconds = 120;
    private const int QuietMilliseconds = 100;
    private const int QuietTimes = 10;
    private readonly Lock _interruptLock = new();
    private readonly object _pump = new();
    private readonly CancellationTokenSource _cancel = new();
    private readonly Thread _thread;
    private Func<Task<object?>> _body = null!;
    private (SendOrPostCallback Callback, object? State)? _handedOver;
    private bool _waiting;
    private bool _abandoned;
    private volatile bool _finished;
    private Task<object?>? _task;
    private Exception? _error;

    /// <summary>Creates a run.</summary>
    /// <param name="owner">What the host associates with the run; flows with <see cref="CellInterrupt.Current"/>.</param>
    public CellRun(object? owner)
    {
        Owner = owner;
        // The size of the main thread's stack on Linux: recursive cells and native code expect no less.
        _thread = new Thread(Body, 16 << 20) { IsBackground = true, Name = "cell" };
    }

    /// <summary>What the host associates with this run.</summary>
    public object? Owner { get; }

    /// <summary>Cancelled when the cell is interrupted.</summary>
    public CancellationToken Token => _cancel.Token;

    /// <summary>Whether an interrupt was asked for.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>Runs <paramref name="body"/> to its end and returns its value; throws what it throws.</summary>
    /// <param name="body">Starts the cell; called on the cell's thread.</param>
    /// <returns>The cell's value.</returns>
    /// <exception cref="CellInterruptedException">The cell was interrupted.</exception>
    public object? Run(Func<Task<object?>> body)
    {
        _body = body;
        _thread.Start();
        _thread.Join();
        if (_error is not null)
            ExceptionDispatchInfo.Throw(_error);
        return _task!.Result;
    }

    /// <summary>Asks the cell to stop; returns at once.</summary>
    public void Interrupt()
    {
        lock (_interruptLock)
        {
            if (IsInterrupted || _finished)
                return;
            IsInterrupted = true;
            CellInterrupt.Count(1);
        }

        lock (_pump)
            Monitor.PulseAll(_pump);
        // Threads of their own: the cell may have filled the thread pool, on which timers run too.
        new Thread(CancelQuietly) { IsBackground = true, Name = "cell cancellation" }.Start();
        new Thread(WakeUpUntilFinished) { IsBackground = true, Name = "cell wake-up" }.Start();
    }

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_pump)
        {
            if (_abandoned)
                return;
            if (_waiting && _handedOver is null)
            {
                _handedOver = (d, state);
                Monitor.PulseAll(_pump);
                return;
            }
        }

        ThreadPool.QueueUserWorkItem(_ => Continue(d, state));
    }

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) => d(state);

    /// <inheritdoc/>
    public override SynchronizationContext CreateCopy() => this;

    /// <inheritdoc/>
    public void Dispose() => _finished = true;

    private void Body()
    {
        CellInterrupt.Current = this;
        SetSynchronizationContext(this);
        try
        {
            _task = _body();
            _task.ContinueWith(_ => Pulse(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            WaitFor(_task);
            if (_task.IsCompleted)
                _task.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            _error = IsInterrupted && IsCancellation(e) ? AsInterrupt(e) : e;
        }
        finally
        {
            Finish();
        }
    }

    private static bool IsCancellation(Exception e) => e switch
    {
        ThreadInterruptedException or OperationCanceledException => true,
        AggregateException { InnerExceptions: var inner } => inner.All(IsCancellation),
        _ => false,
    };

    private static CellInterruptedException AsInterrupt(Exception e) =>
        e as CellInterruptedException ?? new CellInterruptedException("The cell was interrupted.", e);

    private void WaitFor(Task task)
    {
        while (true)
        {
            (SendOrPostCallback Callback, object? State) work;
            lock (_pump)
            {
                _waiting = true;
                while (!task.IsCompleted && !_abandoned && _handedOver is null)
                    WaitOnce();
                _waiting = false;
                if (_handedOver is null)
                {
                    if (_abandoned && !task.IsCompleted)
                        throw new CellInterruptedException();
                    return;
                }

                work = _handedOver.Value;
                _handedOver = null;
            }

            work.Callback(work.State);
        }
    }

    private void WaitOnce()
    {
        try
        {
            if (!IsInterrupted)
                Monitor.Wait(_pump);
            else if (!Monitor.Wait(_pump, AbandonMilliseconds))
                _abandoned = true;
        }
        catch (ThreadInterruptedException)
        {
            // Sent to a thread that blocks; this wait looks at the state by itself.
        }
    }

    private void Continue(SendOrPostCallback callback, object? state)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            if (!_abandoned)
                callback(state);
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    private void Finish()
    {
        lock (_interruptLock)
        {
            _finished = true;
        }

        try
        {
            // An interrupt of this thread that was asked for but not delivered must not hit the code that follows.
            Thread.Sleep(0);
        }
        catch (ThreadInterruptedException)
        {
        }
    }

    private void Pulse()
    {
        lock (_pump)
            Monitor.PulseAll(_pump);
    }

    // A thread that blocks (sleep, lock, task wait, blocking read) does not poll: it is woken.
    private void WakeUpUntilFinished()
    {
        while (!_finished)
        {
            Thread.Sleep(s_grace);
            lock (_interruptLock)
            {
                if (!_finished && !_waiting && (_thread.ThreadState & ThreadState.WaitSleepJoin) != 0)
                    _thread.Interrupt();
            }
        }

        LetGo();
    }

    // Tasks of the cell that still wait for a thread of the pool must meet the interrupt when they begin, however late that is; without
    // it an endless one would run for ever. Until the pool has had nothing in wait for a while, the cell therefore counts as interrupted.
    private void LetGo()
    {
        for (var quiet = 0; quiet < QuietTimes;)
        {
            Thread.Sleep(QuietMilliseconds);
            quiet = ThreadPool.PendingWorkItemCount == 0 ? quiet + 1 : 0;
        }

        if (_task is null || _task.IsCompleted)
            CellInterrupt.Count(-1);
        else
            _task.ContinueWith(_ => CellInterrupt.Count(-1), TaskScheduler.Default);
    }

    private void CancelQuietly()
    {
        try
        {
            _cancel.Cancel();
        }
        catch (AggregateException)
        {
            // A callback that a cell registered failed; the interrupt continues.
        }
    }
}
