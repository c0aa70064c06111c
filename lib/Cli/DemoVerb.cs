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
        var model = Text("--model", "FOLDER", $"The model's folder. [default: {DefaultModel} of the project]");
        var output = Text(
            "--output", "FOLDER",
            "The folder for everything it makes: a new or empty one, or that of an earlier demo. [default: outputs/demo of the project]");
        var recipe = Text(
            "--recipe", "FILE", $"The recipe of the training; its output folders are not used. [default: {DefaultRecipe} of the project]");
        var tokenizers = Text(
            "--tokenizers", "FOLDER",
            "Folder with clip/ and t5/ tokenizer files, used where the model folder has none. [default: LAB_TOKENIZERS]");
        var seed = new Option<long?>("--seed")
        {
            HelpName = "NUMBER",
            Description = "Seed of the training and of the first picture. [at least 0; default: the recipe's, or 0]",
        };
        var fresh = new Option<bool>("--fresh") { Description = "Make everything again instead of keeping what an earlier run has done." };
        foreach (var option in new Option[] { model, output, recipe, seed, tokenizers, fresh })
            verb.Options.Add(option);
        verb.SetAction(result =>
        {
            var project = ProjectFolder.Find();
            var options = Read(
                project, result.GetValue(model), result.GetValue(output), result.GetValue(recipe), result.GetValue(tokenizers),
                result.GetValue(seed), session);
            using var measures = Measures(options, project);
            return Run(options with { Judge = measures }, result.GetValue(fresh), session);
        });
        return verb;
    }

    private static Option<string?> Text(string name, string placeholder, string help) => new(name)
    {
        HelpName = placeholder,
        Description = help,
    };

    private static DemoOptions Read(
        string project, string? model, string? output, string? recipe, string? tokenizers, long? seed, Session session)
    {
        if (seed < 0)
            throw new UsageException($"--seed is {seed}; valid is at least 0.");
        var folder = output is null ? Path.Combine(project, "outputs", "demo") : Path.GetFullPath(output);
        var path = ProjectFolder.Resolve(recipe ?? DefaultRecipe, project);
        var config = DreamBoothConfig.Read(path, message => session.Warn($"{path}: {message}"));
        config = config with
        {
            PretrainedModelNameOrPath = Model(model, project),
            InstanceDataDir = ProjectFolder.Resolve(config.InstanceDataDir, project),
            ClassDataDir = config.WithPriorPreservation ? DemoFolder.ClassPicturesOf(folder) : null,
            OutputDir = DemoFolder.LoraOf(folder),
            Tokenizers = tokenizers is null ? config.Tokenizers : Path.GetFullPath(tokenizers),
            Seed = seed ?? config.Seed ?? 0,
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
}
