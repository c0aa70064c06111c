using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>train</c>: a folder of pictures and a model in, a LoRA out.</summary>
internal static class TrainVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command(
            "train", "Trains a DreamBooth LoRA. Flags, names and defaults are those of diffusers' train_dreambooth_lora_sd3.py; "
            + "paths are relative to the current folder.");
        var recipe = new Option<string?>("--config")
        {
            HelpName = "FILE",
            Description = "Recipe file: JSON with flag names as keys, such as data/recipes/sd35-medium-tutorial.json. Flags on the command "
                + "line take precedence.",
        };
        var print = new Option<bool>("--print_config") { Description = "Print the resulting recipe, and stop." };
        verb.Options.Add(recipe);
        var processes = new Option<int?>("--num_processes")
        {
            HelpName = "N",
            Description = "Start N ranks on this machine that train together, one per GPU; each step then sees N times "
                + "gradient_accumulation_steps micro-batches. Under torchrun, srun or mpirun it is not needed.",
        };
        verb.Options.Add(print);
        verb.Options.Add(processes);
        var queue = new Option<string?>("--queue")
        {
            HelpName = "FILE",
            Description = "Train the recipes of this file one after another, a JSON object a line; see lib/Cli/README.md. Other flags "
                + "hold for every line.",
        };
        verb.Options.Add(queue);
        var options = new FlagOptions(verb, DreamBoothConfig.Flags.All, DreamBoothConfig.UnusedFlags);
        verb.SetAction(result =>
        {
            var place = RankEnvironment.Read();
            if (result.GetValue(queue) is { } file)
            {
                if (result.GetValue(print) || !place.IsAlone)
                    throw new UsageException("--queue goes neither with --print_config nor under a launcher; use --num_processes.");
                var ranks = StartsRanks(result.GetValue(processes), place);
                var given = options.Read(result, session.Warn);
                return RunQueue(file, QueueFile.Read(file, result.GetValue(recipe), given, session.Warn), ranks, session);
            }

            var starts = StartsRanks(result.GetValue(processes), place);
            var told = starts is null && place.IsFirst ? session : session with { Error = TextWriter.Null }; // Rank 0 warns.
            var config = ReadConfig(result.GetValue(recipe), options.Read(result, told.Warn), told);
            if (result.GetValue(print))
            {
                session.Output.Write(config.ToJson());
                return ExitCode.Success;
            }

            config = WithoutLocalRank(config, place, told);
            return starts is { } count
                ? RankProcesses.Run(count, config.Device, session)
                : RankedRun.Do(place, config.ToJson(), config.Device, session, (ranks, shown) => Run(config, place, ranks, shown));
        });
        return verb;
    }

    private static DreamBoothConfig ReadConfig(string? recipe, Dictionary<Flag, object?> given, Session session) => UsageErrors.In(() =>
    {
        var config = RecipeText.Read(recipe, given, session.Warn);
        config.Validate();
        foreach (var notice in config.Notices())
            session.Warn(notice);
        return config;
    });

    private static int RunQueue(string file, IReadOnlyList<QueueEntry> entries, int? ranks, Session session)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        return new TrainingQueue(
            file, entries, session,
            (config, meanwhile) => QueueProcess.Train(config, folder, ranks, session, meanwhile)).Run();
    }

    // Each rank may be given another: it is no setting of the training, whose ranks have the same.
    private static DreamBoothConfig WithoutLocalRank(DreamBoothConfig config, RankEnvironment place, Session session)
    {
        if (config.LocalRank >= 0 && place.IsAlone)
        {
            session.Warn(
                $"local_rank is {config.LocalRank}, and no launcher has started ranks: it has no effect. --num_processes starts some.");
        }
        else if (config.LocalRank >= 0 && config.LocalRank != place.LocalRank)
        {
            session.Warn($"local_rank is {config.LocalRank}, and the launcher's environment says {place.LocalRank}, which counts.");
        }

        return config with { LocalRank = -1 };
    }

    private static int? StartsRanks(int? processes, RankEnvironment place) => processes switch
    {
        null => null,
        < 1 or > RankProcesses.Most => throw new UsageException($"num_processes is {processes}; it must be 1 to {RankProcesses.Most}."),
        { } count when !place.IsAlone => count == place.Count ? null : throw new UsageException(
            $"num_processes is {count}, but a launcher has started {place.Count} ranks. Leave num_processes out."),
        1 => null,
        _ => processes,
    };

    private static int Run(DreamBoothConfig config, RankEnvironment place, Rendezvous? ranks, Session session)
    {
        MiniatureFolder.VerifyIfListed(config.PretrainedModelNameOrPath);
        var push = place.IsFirst ? HubPush.Prepare(config, session) : null;
        var guard = new MemoryGuard(
            config.PretrainedModelNameOrPath, config.Device,
            MemorySettings.Of(config, pictures: 0) with { FreeT5 = config.ValidationPrompt is null }, place.LocalCount);
        var summary = ConsoleProgress.Run(
            session, report => guard.Run(
                () => TrainingSession.Train(config, ranks, Events(config, place, session, report, guard), session.Cancellation)));
        var file = Path.Combine(config.OutputDir, LoraFile.DefaultName);
        if (summary.Steps == 0)
        {
            session.Error.WriteLine("Cancelled before the first step; nothing is saved.");
            return ExitCode.Cancelled;
        }

        if (summary.WasFinished)
        {
            session.Output.WriteLine(
                $"{file}: finished by an earlier run, at step {summary.Steps} of {summary.Steps}; there is nothing left to train. Raise "
                + "max_train_steps to train on.");
            push?.Run(config, session);
            return ExitCode.Success;
        }

        session.Output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{file}: {summary.Steps} steps in {summary.Seconds:0.0} s{(summary.Cancelled ? ", ended early" : string.Empty)}"));
        foreach (var line in TrainingExports.Describe(config))
            session.Output.WriteLine(line);
        if (summary.Cancelled)
            return ExitCode.Cancelled;
        push?.Run(config, session);
        return ExitCode.Success;
    }

    private static TrainingEvents Events(
        DreamBoothConfig config, RankEnvironment place, Session session, ConsoleProgress.Report report, MemoryGuard guard)
    {
        var total = 0;
        StepRecord? scored = null;
        return new TrainingEvents
        {
            OnWarning = session.Warn,
            OnSummary = session.Output.WriteLine,
            OnBatches = batches =>
            {
                guard.LimitTrainBatch(batches.LargestBatch);
                if (place.IsFirst)
                    CheckVerb.TellBriefly(config, batches, place.Count, session);
            },
            ChooseMemory = model => guard.Choose(model, MemoryMode.Auto, session.Output.WriteLine).Memory,
            FitSamples = (model, mode) => FitSamples(config, session, guard.FitSamples(model, mode, config.SampleBatchSize)),
            OpenJudge = asked =>
            {
                var judge = JudgeRequest.Of(asked).Open(
                    new HubResolver(config.HubOptions(), session.Warn, new HubProgressLines(report, "Downloading")));
                guard.CountJudge(asked);
                return judge;
            },
            OnDownload = new HubProgressLines(report, "Downloading"),
            OnClassPicture = (done, count) => report("Class pictures", done, count, string.Empty),
            OnEncoded = (done, count) => report("Encoding", done, count, string.Empty),
            OnStage = guard.Enter,
            OnStart = trainer =>
            {
                total = trainer.MaxSteps;
                guard.Enter("training");
            },
            OnStep = record =>
            {
                scored = record.Scores is null ? scored : record;
                report("Training", record.Step, total, Describe(record, scored));
            },
        };
    }

    private static int FitSamples(DreamBoothConfig config, Session session, int fit)
    {
        var wanted = Math.Min(config.SampleBatchSize, StableDiffusion3Pipeline.WorthAtATime);
        if (fit < wanted && (config.UsesClassPictures || config.ValidationPrompt is not null))
            session.Output.WriteLine($"Class and validation pictures are generated {fit} at a time: {wanted} are predicted not to fit.");
        return fit;
    }

    // The scores stay on the line until there are newer ones.
    private static string Describe(StepRecord record, StepRecord? scored) => string.Create(
        CultureInfo.InvariantCulture,
        $"loss {record.Loss:0.0000}  instance "
        + $"{record.InstanceLoss:0.0000}{(record.PriorLoss is { } prior ? $"  prior {prior:0.0000}" : string.Empty)}  lr "
        + $"{record.LearningRate:0.00e+0}  {1 / record.Seconds:0.00} steps/s"
        + $"{(record.MemoryGib is { } memory ? $"  {memory:0.0} GiB" : string.Empty)}")
        + (scored is null ? string.Empty : string.Create(
            CultureInfo.InvariantCulture, $"  after step {scored.Step}: {string.Join("  ", scored.Scores!.Select(Describe))}"));

    private static string Describe(KeyValuePair<string, double> score) =>
        string.Create(CultureInfo.InvariantCulture, $"{score.Key} {score.Value:0.000}");
}
