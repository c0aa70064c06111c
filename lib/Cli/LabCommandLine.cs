using System.CommandLine;
using System.CommandLine.Help;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>The command line as a whole: verbs, help, errors and exit codes.</summary>
internal static class LabCommandLine
{
    private static readonly ParserConfiguration Parser = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    /// <summary>Runs a command line.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="session">Where it writes.</param>
    /// <param name="root">Makes another program's verbs; null for the lab's.</param>
    /// <param name="start">How the program is started, for its help.</param>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static int Run(
        IReadOnlyList<string> args, Session session, Func<Session, RootCommand>? root = null, string start = "dotnet run --")
    {
        session = session with { Output = new PlainWriter(session.Output), Error = new PlainWriter(session.Error) };
        try
        {
            if (!UserFolders.CurrentIsThere())
                throw new LabException(UserFolders.CurrentIsGone);
            return Invoke((root ?? (args is ["kernel", ..] ? Kernel : Lab))(session), start, args, session);
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

    private static RootCommand Lab(Session session) =>
        new("A research workbench for DreamBooth LoRA on Stable Diffusion 3.x.")
        {
            DemoVerb.Create(session),
            TrainVerb.Create(session),
            CheckVerb.Create(session),
            RunsVerb.Create(session),
            GenerateVerb.Create(session),
            EvaluateVerb.Create(session),
            LoraVerb.Create(session),
            PromptsVerb.Create(session),
            HubVerb.Create(session),
            DoctorVerb.Create(session),
            MemoryVerb.Create(session),
            OtherProgram.Create("bench", "Measures parts of the lab", "lib/Bench", session),
            OtherProgram.Create("pretrain-mini", "Makes the miniature from nothing", "lib/Miniature", session),
            KernelVerb.Create(session),
            RunVerb.Create(session),
        };

    // A kernel's start is short: no other verb's flags are made for it.
    private static RootCommand Kernel(Session session) => new() { KernelVerb.Create(session) };

    private static int Invoke(RootCommand root, string start, IReadOnlyList<string> args, Session session)
    {
        var helpAction = new GroupedHelp(session.Output, start);
        var help = new HelpOption("--help", "-h") { Description = "Show this help.", Action = helpAction };
        root.Options.Remove(root.Options.OfType<HelpOption>().Single());
        root.Options.Add(help);
        root.Options.OfType<VersionOption>().Single().Description = "Show the version.";
        foreach (var group in root.Subcommands.Where(verb => verb.Subcommands.Count > 0 && verb.Action is null).Prepend(root))
            group.Action = helpAction;

        var result = root.Parse(args, Parser);
        var checks = result.CommandResult.Command.TreatUnmatchedTokensAsErrors;
        if (checks && (result.Action != helpAction || result.GetResult(help) is null))
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
