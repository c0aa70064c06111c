using System.CommandLine;
using System.Text.Json;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>check</c>: what a training would meet, before it is started.</summary>
internal static class CheckVerb
{
    private const int SubjectWidth = 16;

    public static Command Create(Session session)
    {
        var verb = new Command(
            "check",
            "Checks a training before it is started: settings, photos, captions, the identifier's tokens, LoRA layers, lengths of texts, "
            + "steps, time, disk and memory. Its flags are train's. No weights are loaded, nothing is downloaded and nothing is written. "
            + "The exit code is 1 where something would stop the training.");
        var recipe = new Option<string?>("--config")
        {
            HelpName = "FILE",
            Description = "Recipe file, as for train. Flags on the command line take precedence.",
        };
        verb.Options.Add(recipe);
        var processes = new Option<int?>("--num_processes")
        {
            HelpName = "N",
            Description = "Ranks that will train together, as for train.",
        };
        verb.Options.Add(processes);
        var json = verb.AddSwitch("--json", "Print the checks as JSON.");
        var options = new FlagOptions(verb, DreamBoothConfig.Flags.All, DreamBoothConfig.UnusedFlags);
        verb.SetAction(result =>
        {
            var ranks = result.GetValue(processes) ?? 1;
            if (ranks is < 1 or > RankProcesses.Most)
                throw new UsageException($"num_processes is {ranks}; it must be 1 to {RankProcesses.Most}.");
            var config = UsageErrors.In(() => RecipeText.Read(result.GetValue(recipe), options.Read(result, session.Warn), session.Warn));
            var checks = Preflight.Check(OverAll(config, ranks));
            if (result.GetValue(json))
                session.Output.WriteLine(JsonSerializer.Serialize(Report(checks), JsonFile.Options));
            else
                Write(checks, session.Output);
            return Preflight.CanStart(checks) ? ExitCode.Success : ExitCode.Failure;
        });
        return verb;
    }

    /// <summary>What <c>train</c> says at its start: the checks that it does not make itself, a line each.</summary>
    /// <param name="config">The training.</param>
    /// <param name="batches">The micro-batches of an epoch.</param>
    /// <param name="ranks">Ranks that train together.</param>
    /// <param name="session">Where to.</param>
    public static void TellBriefly(DreamBoothConfig config, BatchSampler batches, int ranks, Session session)
    {
        foreach (var check in Preflight.Brief(OverAll(config, ranks), batches))
        {
            var text = $"{check.Subject}: {check.Message}";
            if (check.Status == PreflightStatus.Warning && check.Subject == "identifier")
                session.Warn($"{text} [{string.Join("; ", check.Details)}]");
            else
                session.Output.WriteLine(text);
        }
    }

    // What does not fit an int is told by the training itself.
    private static DreamBoothConfig OverAll(DreamBoothConfig config, int ranks) =>
        config with { GradientAccumulationSteps = (int)Math.Min((long)config.GradientAccumulationSteps * ranks, int.MaxValue) };

    private static object Report(IReadOnlyList<PreflightCheck> checks) => new
    {
        can_start = Preflight.CanStart(checks),
        checks = checks.Select(check => new { check.Subject, status = Mark(check.Status), check.Message, check.Details }),
    };

    private static void Write(IReadOnlyList<PreflightCheck> checks, TextWriter output)
    {
        foreach (var check in checks)
        {
            output.WriteLine($"{check.Subject.PadRight(SubjectWidth)}{Mark(check.Status),-9}{Indented(check.Message)}");
            foreach (var detail in check.Details)
                output.WriteLine($"{new string(' ', SubjectWidth + 9)}{detail}");
        }

        output.WriteLine(Preflight.CanStart(checks) ? "The training can start." : "The training cannot start like this.");
    }

    private static string Indented(string text) =>
        text.TrimEnd().Replace("\n", "\n" + new string(' ', SubjectWidth + 9), StringComparison.Ordinal);

    private static string Mark(PreflightStatus status) => status switch
    {
        PreflightStatus.Ok => "ok",
        PreflightStatus.Warning => "warning",
        _ => "problem",
    };
}
