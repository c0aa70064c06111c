using System.CommandLine;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Cli;

/// <summary><c>evaluate</c>: pictures, or a LoRA with its checkpoints, in; scores, a choice and one page out.</summary>
internal static class EvaluateVerb
{
    private const string PageName = "report.html";

    public static Command Create(Session session)
    {
        var verb = new Command(
            "evaluate",
            "Scores how well pictures show a subject and follow their prompts, by DINO and CLIP or by the miniature's classifier: folders "
            + "of pictures, or a LoRA and its checkpoints at several scales. Writes scores, intervals, a choice and advice as one page.");
        var options = new FlagOptions(verb, EvaluateConfig.Flags.All);
        verb.SetAction(result =>
        {
            var config = UsageErrors.In(() =>
            {
                var given = EvaluateConfig.Flags.Build(options.Read(result));
                given.Validate();
                return given;
            });
            return Run(config, session);
        });
        verb.Subcommands.Add(DreamBenchVerb.Create(session));
        return verb;
    }

    private static int Run(EvaluateConfig config, Session session)
    {
        var shard = Shard.Parse(config.Shard);
        using var folder = RunFolder.Open(config.OutputDir, "evaluate", "output_dir", shard, cancellation: session.Cancellation);
        if (shard is null)
            folder.ClearLeftovers();
        // What is wrong with the photos or the folders is told before anything is loaded.
        var photos = Photos(config.InstanceDataDir, config);
        var given = config.Generates ? [] : FolderPictures.Read(config.Pictures, config.ClassPrompt);
        List<(string Name, IReadOnlyList<string> Photos)> subjects =
            [.. SubjectBleed.Parse(config.Subject).Select(subject => (subject.Name, Photos(subject.Folder, config)))];
        var (choice, bleed) = ConsoleProgress.Run(session, report =>
        {
            var hub = new HubResolver(null, session.Warn, new HubProgressLines(report, "Downloading"));
            var open = Judge(config, hub, session);
            var sets = config.Generates ? new EvaluatedLora(config, hub, report, session).Generate() : given;
            if (sets is null || !folder.TryTakeWhole())
                return ((EvaluationChoice?)null, (SubjectBleed?)null);
            using var judge = open();
            var scoring = new EvaluationScoring(judge, photos, (done, total) => report("Scoring", done, total, "pictures"));
            var chosen = EvaluationChoice.Of(scoring.Run(sets, session.Cancellation));
            return (chosen, subjects.Count == 0 || chosen.Suggested is null ? null
                : scoring.Bleed(chosen.Suggested, subjects, session.Cancellation));
        });
        if (choice is null)
        {
            session.Output.WriteLine($"The pictures of part {shard} are there; the part that ends last scores those of all. Where one has "
                + "failed, start it again, or all of it without --shard.");
            return ExitCode.Success;
        }

        foreach (var (name, row) in bleed is null ? [] : bleed.Subjects.Zip(bleed.Dino))
        {
            if (row.All(mean => mean is null))
                session.Warn($"No prompt names the subject '{name}': there is no picture of it to compare.");
        }

        var advice = EvaluationAdvice.Of(choice, photos.Length);
        EvaluationFiles.Write(config.OutputDir, EvaluationSummary.Of(choice, advice, photos.Length, bleed), choice);
        var page = Path.Combine(config.OutputDir, PageName);
        new EvaluationPage(choice, advice, photos, bleed, config with { Shard = null }).Build().Save(page);
        Tell(choice, advice, page, session);
        return ExitCode.Success;
    }

    private static string[] Photos(string folder, EvaluateConfig config)
    {
        string[] photos = [.. PictureFolder.Read(folder, config.OnBadImage).Pictures.Select(photo => photo.Path)];
        return photos.Length >= 2 ? photos : throw new LabException(
            $"{folder} has {photos.Length} photo{(photos.Length == 1 ? string.Empty : "s")} of the subject; at least 2 are needed to judge "
            + "pictures by.");
    }

    // What is missing is told before pictures are generated; the judge itself is loaded after them.
    private static Func<IPictureJudge> Judge(EvaluateConfig config, HubResolver hub, Session session)
    {
        var classifier = config.PretrainedModelNameOrPath is { } model ? MiniatureFolder.ClassifierOf(model, config.InstanceDataDir) : null;
        if (config.Judge == "miniature" && classifier is null)
        {
            throw new LabException(
                "--judge miniature: the miniature's classifier judges pictures of its own model and subject only; give --model "
                + "data/sd3-mini and --instance_data_dir data/cat_gmc, or --judge encoders.");
        }

        var request = new JudgeRequest
        {
            Model = config.PretrainedModelNameOrPath ?? string.Empty,
            Photos = config.InstanceDataDir,
            OnBadImage = config.OnBadImage,
            Protocol = config.Protocol,
            Device = config.Device,
            Dtype = PipelineOptions.Parse(config.Device, config.Dtype).Dtype,
            WithSurroundings = true,
        };
        if (config.Judge != "encoders" && config.Subject.Count == 0 && classifier is not null)
            return request.Prepare();
        Require(config.Dino, "dino");
        Require(config.Clip, "clip");
        return (request with { Dino = config.Dino, Clip = config.Clip }).Prepare(hub, session.Cancellation);
    }

    private static void Require(string nameOrPath, string flag)
    {
        if (!HubResolver.IsOnHub(nameOrPath, out _, out _) && !Directory.Exists(nameOrPath))
        {
            throw new LabException(
                $"There is no folder {ShownText.Line(nameOrPath)}; --{flag} names a model's folder, or its name on the hub.");
        }
    }

    private static void Tell(EvaluationChoice choice, IReadOnlyList<EvaluationAdvice> advice, string page, Session session)
    {
        if (choice.Evaluations.Any(evaluation => evaluation.Pictures.Any(picture => picture.Prompt is null)))
        {
            session.Warn(
                "Pictures without a known prompt have no score of adherence: generate keeps prompts in its pictures, sweeps in "
                + "results.jsonl.");
        }

        session.Output.WriteLine(choice.Table().ToText());
        session.Output.WriteLine();
        session.Output.WriteLine(choice.Suggested is { } suggested ? $"Suggested: {suggested.Name}. {choice.Reason}" : choice.Reason);
        foreach (var entry in advice)
            session.Output.WriteLine($"{entry.Words} [{entry.Figures}]");
        session.Output.WriteLine($"All of it on one page: {page}");
    }
}
