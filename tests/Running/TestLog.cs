using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace Dreambooth.Lab.Tests.Running;

/// <summary>Writes a line for each test as it ends, and counts.</summary>
/// <param name="output">Where to.</param>
/// <param name="seconds">After so long no further test begins; null for no limit.</param>
internal sealed class TestLog(TextWriter output, int? seconds) : LongLivedMarshalByRefObject, IMessageSink, IDisposable
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _skipped;

    /// <summary>Set when the run has ended.</summary>
    public ManualResetEvent Finished { get; } = new(false);

    /// <summary>Tests that passed.</summary>
    public int Passed { get; private set; }

    /// <summary>Tests that failed, with fixtures that could not be set up.</summary>
    public int Failed { get; private set; }

    /// <summary>Whether the time was over before the tests were.</summary>
    public bool Stopped { get; private set; }

    public bool OnMessage(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestPassed passed:
                Passed++;
                Line("passed", passed.Test.DisplayName, passed.ExecutionTime);
                break;
            case ITestSkipped skipped:
                _skipped++;
                Line("skipped", $"{skipped.Test.DisplayName}: {skipped.Reason}", 0);
                break;
            case ITestFailed failed:
                Failed++;
                Line("FAILED", $"{failed.Test.DisplayName}\n{string.Join('\n', failed.Messages)}\n{string.Join('\n', failed.StackTraces)}", failed.ExecutionTime);
                break;
            case IErrorMessage error:
                Failed++;
                Line("FAILED", string.Join('\n', error.Messages), 0);
                break;
            case ITestAssemblyFinished:
                Finished.Set();
                break;
        }

        Stopped |= seconds is { } limit && _clock.Elapsed.TotalSeconds > limit;
        return !Stopped;
    }

    /// <summary>Writes the counts.</summary>
    /// <param name="all">Tests that were to run.</param>
    public void WriteSummary(int all)
    {
        var device = Environment.GetEnvironmentVariable("LAB_TEST_DEVICE") ?? "cpu";
        var stopped = Stopped ? $"; stopped after {seconds} s, {all - Passed - Failed - _skipped} did not run" : string.Empty;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Passed} passed, {Failed} failed, {_skipped} skipped of {all} on {device} in {_clock.Elapsed.TotalSeconds:0.0} s{stopped}"));
        output.Flush();
    }

    public void Dispose() => Finished.Dispose();

    private void Line(string outcome, string text, decimal time)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{outcome,-8}{time,8:0.00} s  {text}"));
        output.Flush();
    }
}
