using System.Globalization;
using System.Runtime.InteropServices;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// The first Ctrl+C, SIGTERM, SIGQUIT or SIGHUP (a lost terminal or SSH session) ends the work cleanly; the second one kills the process,
/// except SIGHUP, which several senders send for one lost session.
/// </summary>
internal sealed class CancelSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly TextWriter _error;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private bool _signalled;

    public CancelSignals(TextWriter error)
    {
        _error = error;
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP })
        {
            if (!IsIgnored(signal))
                _registrations.Add(PosixSignalRegistration.Create(signal, Handle));
        }
    }

    public CancellationToken Token => _source.Token;

    /// <summary>Ends the work cleanly when a stream ends: the one from the process that started this one as a rank.</summary>
    public void Follow(Stream starter) => new Thread(() =>
    {
        try
        {
            while (starter.ReadByte() >= 0)
            {
                // Nothing is said but the end.
            }

            _source.Cancel();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // This process is ending anyway.
        }
    })
    { IsBackground = true, Name = "Starter of ranks" }.Start();

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _source.Dispose();
    }

    internal void Handle(PosixSignalContext context)
    {
        if (_signalled)
        {
            // Not taken: the signal does what it does by default, it kills.
            context.Cancel = context.Signal == PosixSignal.SIGHUP;
            return;
        }

        context.Cancel = _signalled = true;
        _error.WriteLine("Ending after the step at hand; what is done is kept. Once more ends at once.");
        _source.Cancel();
    }

    // Under nohup a lost terminal is no reason to end.
    private static bool IsIgnored(PosixSignal signal)
    {
        const string Status = "/proc/self/status", Field = "SigIgn:";
        const int HangUp = 1;
        if (signal != PosixSignal.SIGHUP || !File.Exists(Status))
            return false;
        var mask = File.ReadLines(Status).FirstOrDefault(line => line.StartsWith(Field, StringComparison.Ordinal))?[Field.Length..].Trim();
        return ulong.TryParse(mask, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var ignored)
            && (ignored >> (HangUp - 1) & 1) == 1;
    }
}
