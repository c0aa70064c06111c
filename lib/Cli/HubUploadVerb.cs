using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>hub upload</c>: a trained LoRA with its card to the hub.</summary>
internal static class HubUploadVerb
{
    private const string CardName = "README.md";
    private const int MostPictures = 8;

    // Settings of interest to readers; without this machine's paths and devices.
    private static readonly string[] SettingNames =
    [
        "resolution", "rank", "lora_alpha", "lora_layers", "lora_blocks", "train_text_encoder", "max_train_steps", "num_train_epochs",
        "train_batch_size", "gradient_accumulation_steps",
        "learning_rate", "text_encoder_lr", "lr_scheduler", "lr_warmup_steps", "weighting_scheme", "mixed_precision",
        "with_prior_preservation", "prior_loss_weight", "num_class_images",
        "center_crop", "random_flip", "seed",
    ];

    public static Command Create(Session session)
    {
        var folder =
            new Argument<string>("FOLDER")
            {
                Description =
                "The folder that train wrote (with recipe.json), or one with a LoRA file, or the file."
            };
        var repo = HubVerb.Repo();
        var revision = HubVerb.Revision();
        var hidden = new Option<bool>("--private") { Description = "Make the repository private, where it is new." };
        var message = new Option<string>("--message")
        {
            HelpName = "TEXT",
            Description = "The commit's message.",
            DefaultValueFactory = _ => "DreamBooth LoRA",
        };
        var baseModel = new Option<string?>("--base_model")
        {
            HelpName = "NAME",
            Description = "The base model's name on the hub, where the recipe names a folder.",
        };
        var pictures = new Option<string[]>("--images")
        {
            HelpName = "FILE",
            Description = "Sample pictures for the card; without them the last validation pictures.",
            AllowMultipleArgumentsPerToken = true,
        };
        var verb = new Command(
            "upload",
            "Uploads a LoRA with its card: base model, instance prompt, licence, sample pictures, training settings. A README.md in the "
            + "folder is used as the card instead.")
        {
            folder, repo, revision, hidden, message, baseModel, pictures,
        };
        verb.SetAction(result =>
        {
            var id = HubVerb.ParseRepo(result.GetValue(repo)!);
            var request = new HubUploadRequest(id, [], result.GetValue(message)!)
            {
                Revision = result.GetValue(revision)!,
                IsPrivate = result.GetValue(hidden),
            };
            session.Output.WriteLine(
                Upload(result.GetValue(folder)!, request, session, result.GetValue(baseModel), result.GetValue(pictures)));
            return ExitCode.Success;
        });
        return verb;
    }

    /// <summary>Uploads a LoRA with its card.</summary>
    /// <param name="folder">What train wrote, or a file.</param>
    /// <param name="request">Where to; its files are those of the folder.</param>
    /// <param name="session">The verb's.</param>
    /// <param name="baseModel">The base model's name on the hub; null for the recipe's.</param>
    /// <param name="pictures">Sample pictures; null or none for the last validation pictures.</param>
    /// <returns>What is on the hub now, a line.</returns>
    internal static string Upload(
        string folder, HubUploadRequest request, Session session, string? baseModel = null, string[]? pictures = null)
    {
        request = request with { Files = Collect(folder, request.Repo, baseModel, pictures ?? [], session) };
        using var client = new HubClient(null, session.Warn);
        var commit = ConsoleProgress.Run(
            session, report => HubVerb.Wait(
                () => client.UploadAsync(request, new HubProgressLines(report, "Uploading"), session.Cancellation)));
        return $"{string.Join(", ", request.Files.Select(file => file.Path))}: {commit.Page}";
    }

    private static List<HubUploadFile> Collect(string path, RepoId repo, string? baseModel, string[] pictures, Session session)
    {
        var lora = LoraFile.Resolve(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(lora))!;
        var files = new List<HubUploadFile> { HubUploadFile.FromFile(Path.GetFileName(lora), lora) };
        var card = Path.Combine(folder, CardName);
        if (File.Exists(card))
            return [.. files, HubUploadFile.FromFile(CardName, card)];
        var shown = (pictures.Length > 0 ? pictures : LastValidation(folder)).Take(MostPictures).ToList();
        if (shown.FirstOrDefault(picture => !File.Exists(picture)) is { } missing)
            throw new LabException($"There is no picture {missing}; --images needs files.");
        var named = shown.Select(
            (picture, i) => HubUploadFile.FromFile($"image_{i}{Path.GetExtension(picture).ToLowerInvariant()}", picture)).ToList();
        files.AddRange(named);
        files.Add(HubUploadFile.FromText(CardName, Card(folder, repo, baseModel, named, Path.GetFileName(lora), session).ToMarkdown()));
        return files;
    }

    private static LoraCard Card(string folder, RepoId repo, string? baseModel, List<HubUploadFile> pictures, string lora, Session session)
    {
        var recipe = Path.Combine(folder, "recipe.json");
        if (!File.Exists(recipe))
            session.Warn(
                $"There is no recipe.json in {folder}: the card lacks the training's settings, and you must fill in its instance prompt.");
        var config = File.Exists(recipe) ? DreamBoothConfig.Read(recipe) : null;
        var model = baseModel
            ?? (config is not null && HubResolver.IsOnHub(config.PretrainedModelNameOrPath, out var known, out _)
                ? known.ToString()
                : null);
        if (model is null)
            session.Warn("The base model's name on the hub is not known: give --base_model, so that the card names it.");
        return new LoraCard(repo, config?.InstancePromptIn(folder) ?? "(the instance prompt)")
        {
            BaseModel = model is null ? null : HubVerb.ParseRepo(model).ToString(),
            ValidationPrompt = config?.ValidationPrompt,
            TrainTextEncoder = config?.TrainTextEncoder ?? false,
            Pictures = [.. pictures.Select(picture => picture.Path)],
            Settings = config is null ? [] : Settings(config),
            WeightName = lora,
        };
    }

    private static List<(string Name, string Value)> Settings(DreamBoothConfig config) =>
        [.. SettingNames.Select(name => (Name: name, Value: DreamBoothConfig.Flags.Find(name)?.Property.GetValue(config)))
            .Where(setting => setting.Value is not null)
            .Select(setting => (setting.Name, Convert.ToString(setting.Value, CultureInfo.InvariantCulture)!))];

    private static IEnumerable<string> LastValidation(string folder)
    {
        var validation = Path.Combine(folder, "validation");
        var last = Directory.Exists(validation) ? Directory.GetDirectories(validation).Order(StringComparer.Ordinal).LastOrDefault() : null;
        return last is null ? [] : Directory.GetFiles(last, "*.png").Order(StringComparer.Ordinal);
    }
}
