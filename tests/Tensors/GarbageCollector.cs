namespace Dreambooth.Lab.Tests.Tensors;

/// <summary>
/// Collects garbage and runs finalisers without pause on a thread of its own, until disposed: what is freed while libtorch reads it shows
/// soon.
/// </summary>
internal sealed class GarbageCollector : IDisposable
{
    private readonly Thread _thread;
    private volatile bool _ended;

    public GarbageCollector()
    {
        _thread = new Thread(() =>
        {
            while (!_ended)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        _thread.Start();
    }

    public void Dispose()
    {
        _ended = true;
        _thread.Join();
    }
}
