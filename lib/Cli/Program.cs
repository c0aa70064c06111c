using Dreambooth.Lab.Native;

namespace Dreambooth.Lab.Cli;

internal static class Program
{
    public static int Main(string[] args) =>
        Start(session => LabCommandLine.Run(args, session), handlesSignals: args is not ["kernel", "start", ..]);

    /// <summary>Runs a program on the console: signals, pipes and final errors, the same for every program of the lab.</summary>
    /// <param name="run">The program.</param>
    /// <param name="handlesSignals">False for programs that handle signals themselves: a notebook's kernel continues after an
    /// interrupt.</param>
    internal static int Start(Func<Session, int> run, bool handlesSignals = true)
    {
        RankDevice.ChooseForProcess(Environment.GetCommandLineArgs());
        // A file or pipe that cannot be written to is an error; a lost terminal is not.
        if (!Console.IsOutputRedirected)
            Console.SetOut(new LastingWriter(Console.Out));
        if (!Console.IsErrorRedirected)
            Console.SetError(new LastingWriter(Console.Error));
        // Errors of other threads end the process with this line instead of a trace and an abort.
        AppDomain.CurrentDomain.UnhandledException += (_, failure) =>
        {
            Console.Error.WriteLine(PlainWriter.Clean(FailureReport.Line(FailureReport.Cause((Exception)failure.ExceptionObject))));
            Environment.Exit(ExitCode.Failure);
        };
        var isRank = Environment.GetEnvironmentVariable(RankProcesses.Variable) is not null; // Who started it says that all end.
        using var signals = handlesSignals ? new CancelSignals(isRank ? TextWriter.Null : Console.Error) : null;
        if (isRank)
            signals?.Follow(Console.OpenStandardInput());
        return run(new Session(Console.Out, Console.Error, !Console.IsOutputRedirected, signals?.Token ?? CancellationToken.None));
    }
}
