using System.CommandLine;
using System.CommandLine.Help;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>The command line as a whole: verbs, help, errors and exit codes.</summary>
internal static class LabCommandLine
{
    private static readonly ParserConfiguration Parser = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <summary>Runs a command line.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> args, Session session)
    {
        session = session with { Output = new PlainWriter(session.Output), Error = new PlainWriter(session.Error) };
        try
        {
            return Invoke(args, session);
        }
        catch (OperationCanceledException) when (session.Cancellation.IsCancellationRequested)
        {
            session.Error.WriteLine("Cancelled.");
            return ExitCode.Cancelled;
        }
        catch (Exception error)
        {
            return Report(FailureReport.Cause(error), session);
        }
    }

    private static int Report(Exception error, Session session)
    {
        // A folder that cannot be written, a full disk: the message names the path.
        if (error is LabException or IOException or UnauthorizedAccessException)
        {
            FailureReport.Keep(error);
            session.Fail(error.Message);
            return error is UsageException ? ExitCode.Usage : ExitCode.Failure;
        }

        session.Error.WriteLine(FailureReport.Line(error));
        return ExitCode.Failure;
    }

    private static int Invoke(IReadOnlyList<string> args, Session session)
    {
        var root = new RootCommand("A research workbench for DreamBooth LoRA on Stable Diffusion 3.x.")
        {
            DemoVerb.Create(session),
            TrainVerb.Create(session),
            GenerateVerb.Create(session),
            HubVerb.Create(session),
            DoctorVerb.Create(session),
            MemoryVerb.Create(session),
            BenchVerb.Create(session),
            PretrainMiniVerb.Create(session),
            KernelVerb.Create(session),
            RunVerb.Create(session),
        };
        var helpAction = new GroupedHelp(session.Output);
        var help = new HelpOption("--help", "-h") { Description = "Show this help.", Action = helpAction };
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(help);
        root.Options.OfType<VersionOption>().Single().Description = "Show the version.";
        foreach (var group in root.Subcommands.Where(verb => verb.Subcommands.Count > 0).Prepend(root))
            group.SetAction(helpAction.Invoke);

        var result = root.Parse(args, Parser);
        if (result.Action != helpAction || result.GetResult(help) is null)
            UsageErrors.ThrowIfAny(result, args);
        return result.Invoke(new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
            Output = session.Output,
            Error = session.Error,
        });
    }
}
