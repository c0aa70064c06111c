using System.CommandLine;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>evaluate dreambench</c>: the field's benchmark on a data set in the layout of DreamBooth's.</summary>
internal static class DreamBenchVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command(
            "dreambench",
            "Runs the DreamBooth paper's benchmark. Each subject of a data set in the layout of DreamBooth's is trained, its prompts are "
            + "generated, and the pictures are scored, in a table beside the paper's figures. Started again, it continues.");
        var options = new FlagOptions(verb, DreamBenchConfig.Flags.All);
        verb.SetAction(result =>
        {
            var config = Read(options, result);
            var table = ConsoleProgress.Run(session, report => Run(config, session, report));
            session.Output.Write(table.ToMarkdown());
            session.Output.WriteLine(Path.Combine(config.OutputDir, DreamBenchRun.TableName));
            return ExitCode.Success;
        });
        return verb;
    }

    private static DreamBenchConfig Read(FlagOptions options, ParseResult result) => UsageErrors.In(() =>
    {
        var config = DreamBenchConfig.Flags.Build(options.Read(result));
        config.Validate();
        return config;
    });

    private static DreamBenchTable Run(DreamBenchConfig config, Session session, ConsoleProgress.Report report)
    {
        var (subject, total) = (string.Empty, 0);
        var download = new HubProgressLines(report, "Downloading");
        var events = new TrainingEvents
        {
            OnWarning = session.Warn,
            OnDownload = download,
            OnClassPicture = (done, count) => report("Class pictures", done, count, subject),
            OnStart = trainer => total = trainer.MaxSteps,
            OnStep = record => report("Training", record.Step, total, subject),
        };
        return new DreamBenchRun(config, events, new HubResolver(null, session.Warn, download))
        {
            OnSubject = name => subject = name,
            OnPictures = progress => report("Pictures", progress.Done, progress.Total, subject),
        }.Execute(session.Cancellation);
    }
}
