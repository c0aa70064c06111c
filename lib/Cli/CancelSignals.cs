using System.Runtime.InteropServices;

namespace Dreambooth.Lab.Cli;

/// <summary>The first Ctrl+C (or SIGTERM) asks the work to end cleanly; the second one kills the process.</summary>
internal sealed class CancelSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly TextWriter _error;
    private readonly PosixSignalRegistration[] _registrations;

    public CancelSignals(TextWriter error)
    {
        _error = error;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
        ];
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested)
            return; // Not taken: the signal does what it does by default, it kills.
        context.Cancel = true;
        _error.WriteLine("Ending after the step at hand; what is done is kept. Once more ends at once.");
        _source.Cancel();
    }
}
