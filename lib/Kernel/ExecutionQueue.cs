using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel;

/// <summary>Execute requests in order of arrival, taken by one thread.</summary>
internal sealed class ExecutionQueue
{
    private readonly LinkedList<JupyterMessage> _requests = new();
    private readonly object _lock = new();
    private bool _closed;

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
            while (_requests.Count == 0 && !_closed)
                Monitor.Wait(_lock);
            if (_closed)
                return null;
            var first = _requests.First!.Value;
            _requests.RemoveFirst();
            return first;
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
