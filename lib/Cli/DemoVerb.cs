using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>demo</c>: the whole tutorial in one command, shown as one page.</summary>
internal static class DemoVerb
{
    private const string DefaultModel = "data/sd3-mini";
    private const string DefaultSubject = "data/cat_gmc";
    private const string Classifier = "data/sd3-mini-classifier";
    private const string DefaultRecipe = "data/recipes/gmc-cat.json";

    public static Command Create(Session session)
    {
        var verb = new Command(
            "demo",
            "Trains the character of data/cat_gmc and generates pictures of it before and after, in new places, as art and with changed "
            + "properties. Writes one page with everything. What an earlier run has done is kept; Ctrl+C keeps what is done.");
        var flags = new FlagSet<Flags>();
        var options = new FlagOptions(verb, flags.All);
        verb.SetAction(result =>
        {
            var given = flags.Build(options.Read(result));
            var project = ProjectFolder.Find();
            var demo = Read(project, given, session);
            using var measures = Measures(demo, project);
            return Run(demo with { Judge = measures }, given.Fresh, session);
        });
        return verb;
    }

    private static DemoOptions Read(string project, Flags given, Session session)
    {
        var folder = given.Output is null ? Path.Combine(project, "outputs", "demo") : Path.GetFullPath(given.Output);
        var path = ProjectFolder.Resolve(given.Recipe ?? DefaultRecipe, project);
        var config = DreamBoothConfig.Read(path, message => session.Warn($"{path}: {message}"));
        config = config with
        {
            PretrainedModelNameOrPath = Model(given.Model, project),
            InstanceDataDir = ProjectFolder.Resolve(config.InstanceDataDir, project),
            ClassDataDir = config.WithPriorPreservation ? DemoFolder.ClassPicturesOf(folder) : null,
            OutputDir = DemoFolder.LoraOf(folder),
            Tokenizers = given.Tokenizers is null ? config.Tokenizers : Path.GetFullPath(given.Tokenizers),
            Seed = given.Seed ?? config.Seed ?? 0,
        };
        config.Validate();
        return new DemoOptions
        {
            Training = config,
            Output = folder,
            Prompts = PromptsFor(config.PretrainedModelNameOrPath, project),
            Seed = (ulong)config.Seed,
        };
    }

    private static string Model(string? given, string project)
    {
        var folder = ProjectFolder.Resolve(given ?? DefaultModel, project);
        if (File.Exists(Path.Combine(folder, "model_index.json")))
            return folder;
        throw new LabException($"There is no model in {folder}: a folder with model_index.json and a subfolder for each part is needed."
            + (given is null
                ? $" The miniature model belongs to a clone's {DefaultModel}; name another model's folder by --model."
                : string.Empty));
    }

    // The miniature knows few words; other models get prompts in general English.
    private static string PromptsFor(string model, string project) =>
        Path.GetFullPath(model == Path.GetFullPath(DefaultModel, project) ? PromptList.MiniatureFolder : PromptList.Folder, project);

    // The classifier beside the miniature knows the painted world and the character only.
    private static CharacterMeasures? Measures(DemoOptions options, string project)
    {
        var (model, subject) = (Path.GetFullPath(DefaultModel, project), Path.GetFullPath(DefaultSubject, project));
        return options.Training.PretrainedModelNameOrPath == model && options.Training.InstanceDataDir == subject
            ? CharacterMeasures.Load(Path.GetFullPath(Classifier, project), subject)
            : null;
    }

    /// <summary>Generates what is missing and writes the page, also when ended early.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    internal static int Run(DemoOptions options, bool fresh, Session session)
    {
        using var held = RunFolder.Open(options.Output, "demo", "--output");
        var folder = DemoFolder.Open(options, fresh);
        held.ClearLeftovers();
        var cancelled = false;
        try
        {
            ConsoleProgress.Run(session, report =>
            {
                new DemoRun(options, folder, report, session.Warn).Execute(session.Cancellation);
                return true;
            });
        }
        catch (OperationCanceledException) when (session.Cancellation.IsCancellationRequested)
        {
            cancelled = true;
        }

        var page = new DemoPage(options, folder, complete: !cancelled);
        page.SaveSheets();
        page.Build().Save(folder.Page);
        if (cancelled)
            session.Error.WriteLine("Ended early; the same command continues from here.");
        Summarize(folder, session.Output);
        return cancelled ? ExitCode.Cancelled : ExitCode.Success;
    }

    private static void Summarize(DemoFolder folder, TextWriter output)
    {
        foreach (var name in DemoRun.SweepNames)
        {
            if (folder.Results(name).Count is > 0 and var count)
            {
                var sheet = File.Exists(folder.Sheet(name)) ? $", on one sheet: {Near(folder.Sheet(name))}" : string.Empty;
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{count,3} pictures in {Near(folder.Sweep(name))}{sheet}"));
            }
        }

        if (File.Exists(folder.LoraFilePath))
            output.WriteLine($"The LoRA: {Near(folder.LoraFilePath)}");
        output.WriteLine($"All of it on one page: {Near(folder.Page)}");
    }

    private static string Near(string path)
    {
        var relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    private sealed record Flags
    {
        private const string Group = "Demo";

        [Flag(Group, "The model's folder.", Placeholder = "FOLDER", DefaultText = $"{DefaultModel} of the project")]
        public string? Model { get; init; }

        [Flag(Group, "The folder for everything it makes: a new or empty one, or that of an earlier demo.", Placeholder = "FOLDER",
            DefaultText = "outputs/demo of the project")]
        public string? Output { get; init; }

        [Flag(Group, "The recipe of the training; its output folders are not used.", Placeholder = "FILE",
            DefaultText = $"{DefaultRecipe} of the project")]
        public string? Recipe { get; init; }

        [Flag(Group, "Seed of the training and of the first picture.", Placeholder = "NUMBER", Minimum = 0,
            DefaultText = "the recipe's, or 0")]
        public long? Seed { get; init; }

        [Flag(Group, "Folder with clip/ and t5/ tokenizer files, used where the model folder has none.", Placeholder = "FOLDER",
            DefaultText = "LAB_TOKENIZERS")]
        public string? Tokenizers { get; init; }

        [Flag(Group, "Make everything again instead of keeping what an earlier run has done.")]
        public bool Fresh { get; init; }
    }
}
