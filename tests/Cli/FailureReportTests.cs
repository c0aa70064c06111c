using System.Reflection;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class FailureReportTests : IDisposable
{
    private readonly string _trace = Path.GetTempFileName();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(FailureReport.Variable, null);
        File.Delete(_trace);
    }

    [Fact]
    public void Line_UnexpectedError_IsOneLineThatSaysHowToGetTheTrace()
    {
        Assert.Equal(
            "error: unexpected, a fault of the program: InvalidOperationException: first LAB_TRACE=FILE writes the trace to "
            + "a file, for a report.",
            FailureReport.Line(new InvalidOperationException("first\n   at somewhere\n")));
        Assert.Contains(
            "Out of memory: what was asked for does not fit this machine.", FailureReport.Line(new InsufficientMemoryException()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Line_TraceAskedFor_IsInTheFileWithoutTokens()
    {
        Environment.SetEnvironmentVariable(FailureReport.Variable, _trace);
        Exception thrown;
        try
        {
            throw new InvalidOperationException("with hf_abcdefghijklmnop");
        }
        catch (InvalidOperationException error)
        {
            thrown = error;
        }

        Assert.EndsWith($"The trace is in {_trace}.", FailureReport.Line(thrown), StringComparison.Ordinal);
        var kept = File.ReadAllText(_trace);
        Assert.Contains(nameof(Line_TraceAskedFor_IsInTheFileWithoutTokens), kept, StringComparison.Ordinal);
        Assert.DoesNotContain("abcdefgh", kept, StringComparison.Ordinal);
    }

    [Fact]
    public void Cause_Wrapped_IsTheErrorInside()
    {
        var inner = new LabException("x");
        Assert.Same(inner, FailureReport.Cause(new AggregateException(new TargetInvocationException(inner))));
        Assert.IsType<AggregateException>(FailureReport.Cause(new AggregateException()));
    }

    [Fact]
    public void Run_ErrorThatNobodyExpected_EndsWithOneLineAndCode1()
    {
        using var error = new StringWriter();
        var code = LabCommandLine.Run(["doctor"], new Session(new BrokenWriter(), error, false, CancellationToken.None));
        Assert.Equal(1, code);
        Assert.Equal(
            "error: unexpected, a fault of the program: DivideByZeroException: broken LAB_TRACE=FILE writes the trace to "
            + "a file, for a report.", error.ToString().Trim());
    }

    private sealed class BrokenWriter : StringWriter
    {
        public override void Write(string? value) => throw new DivideByZeroException("broken");

        public override void WriteLine(string? value) => throw new DivideByZeroException("broken");
    }
}
