using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel;

/// <summary>
/// Execute requests in order of arrival, taken by one thread. An interrupt meets the one that is served, or else the one that waits first.
/// </summary>
/// <param name="begin">Called as a request is taken, with whether an interrupt came for it while it waited; must not block.</param>
internal sealed class ExecutionQueue(Action<bool> begin)
{
    private readonly LinkedList<JupyterMessage> _requests = new();
    private readonly object _lock = new();
    private bool _closed;
    private bool _serving;
    private bool _interrupted;

    /// <summary>Adds a request.</summary>
    public void Add(JupyterMessage request)
    {
        lock (_lock)
        {
            _requests.AddLast(request);
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Takes the next request; waits for one.</summary>
    /// <returns>The request, or null after <see cref="Close"/>.</returns>
    public JupyterMessage? Take()
    {
        lock (_lock)
        {
            _serving = false;
            while (_requests.Count == 0 && !_closed)
                Monitor.Wait(_lock);
            if (_closed)
                return null;
            var first = _requests.First!.Value;
            _requests.RemoveFirst();
            begin(_interrupted);
            (_serving, _interrupted) = (true, false);
            return first;
        }
    }

    /// <summary>Interrupts the request that is served; when none is, the one that waits first, as soon as it is taken.</summary>
    /// <param name="interrupt">Stops what is served; must not block.</param>
    public void Interrupt(Action interrupt)
    {
        lock (_lock)
        {
            _interrupted |= !_serving && _requests.Count > 0;
            interrupt();
        }
    }

    /// <summary>Takes every request that waits.</summary>
    public IReadOnlyList<JupyterMessage> TakeAll()
    {
        lock (_lock)
        {
            List<JupyterMessage> all = [.. _requests];
            _requests.Clear();
            return all;
        }
    }

    /// <summary>Ends <see cref="Take"/>.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            Monitor.PulseAll(_lock);
        }
    }
}
