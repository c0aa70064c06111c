using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// Checks everything that a training needs before it starts, so that errors show in a second, not after the model is loaded: settings,
/// photos, their resolution, captions, the model folder, disk space, memory.
/// </summary>
public static partial class Preflight
{
    private const int FewPhotos = 5;
    private const int ManyPhotos = 30;

    /// <summary>Makes all checks; nothing is written and no weights are read.</summary>
    /// <param name="config">The training.</param>
    /// <param name="memory">Memory that it may use, in bytes; null for what the device has free (the machine's, for the CPU).</param>
    /// <returns>One entry for each check, in the order in which a run would meet them.</returns>
    public static IReadOnlyList<PreflightCheck> Check(DreamBoothConfig config, long? memory = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        var settings = Settings(ref config);
        List<PreflightCheck> checks = [settings];
        if (settings.Status != PreflightStatus.Problem && config.DatasetName is not null && !Found(ref config, checks))
            return [.. checks, Model(config, out _, out _)];
        if ((settings.Status == PreflightStatus.Problem && Lacks(config)) || Subjects(config, checks) is not { } subjects)
            return checks;
        List<DreamBoothDataset> datasets = [];
        var pictures = 0;
        foreach (var subject in subjects)
        {
            checks.Add(Photos(subject, out var folder));
            if (folder is null || folder.Pictures.Count == 0)
                continue;
            pictures += folder.Pictures.Count;
            checks.Add(Resolution(subject, folder));
            checks.Add(PictureChecks.Duplicates(subject, folder));
            checks.Add(Captions(subject, out var dataset));
            if (dataset is not null)
                datasets.Add(dataset);
        }

        if (config.Mask != MaskSource.None && datasets.Count == subjects.Count)
            checks.Add(PictureChecks.Masks(config, datasets));
        var model = Model(config, out var path, out var architecture);
        if (settings.Status == PreflightStatus.Problem)
            return [.. checks, model];
        checks.AddRange(config.PerClass().Select(PictureChecks.Classes));
        checks.Add(model);
        var isWhole = datasets.Count == subjects.Count;
        if (model.Status != PreflightStatus.Problem)
            checks.AddRange(Texts(config, path, isWhole ? datasets : []));
        if (architecture is not null)
            checks.Add(LoraCheck.Of(config, architecture));
        checks.AddRange(Length(config, isWhole ? Batches(config, datasets) : null, tells: true, out var steps));
        var asPlanned = checks.Exists(check => check is { Subject: "LoRA", Status: PreflightStatus.Problem }) ? null : architecture;
        checks.Add(DiskCheck.Of(config, asPlanned, steps));
        if (asPlanned is not null)
            checks.Add(Memory(config, asPlanned, pictures, memory));
        return checks;
    }

    /// <summary>Whether no check found a problem.</summary>
    /// <param name="checks">What <see cref="Check"/> gave.</param>
    public static bool CanStart(IEnumerable<PreflightCheck> checks)
    {
        ArgumentNullException.ThrowIfNull(checks);
        return checks.All(check => check.Status != PreflightStatus.Problem);
    }

    // Nothing is downloaded for a check.
    private static bool Found(ref DreamBoothConfig config, List<PreflightCheck> checks)
    {
        try
        {
            config = config.WithDataset(null, null, offline: true);
            return true;
        }
        catch (HubException error)
        {
            checks.Add(error.Kind != HubErrorKind.Offline ? new("photos", PreflightStatus.Problem, error.Message) : new(
                "photos", PreflightStatus.Warning,
                $"The dataset {config.DatasetName} is not here; it is downloaded when the training starts, and what depends on its "
                + $"pictures is not checked. Now: dotnet run -- hub download datasets/{config.DatasetName}"));
            return false;
        }
    }

    private static IReadOnlyList<DreamBoothConfig>? Subjects(DreamBoothConfig config, List<PreflightCheck> checks)
    {
        try
        {
            _ = config.Subjects is null ? [] : config.PerClass();
            return config.PerSubject();
        }
        catch (LabException error)
        {
            checks.Add(new("subjects", PreflightStatus.Problem, error.Message));
            return null;
        }
    }

    // With init_lora, rank, variant and layers are the file's.
    private static PreflightCheck Settings(ref DreamBoothConfig config)
    {
        IReadOnlyList<string> notices;
        try
        {
            config.Validate();
            notices = config.Notices();
            config = InitialLora.Planned(config);
        }
        catch (LabException error)
        {
            return new("settings", PreflightStatus.Problem, error.Message);
        }

        return notices.Count == 0
            ? new("settings", PreflightStatus.Ok, "every option is in range")
            : new("settings", PreflightStatus.Warning, string.Join(" ", notices));
    }

    private static PreflightCheck Photos(DreamBoothConfig config, out PictureFolder? folder)
    {
        folder = null;
        try
        {
            folder = PictureFolder.Read(config.InstanceDataDir, BadImagePolicy.Skip);
        }
        catch (LabException error)
        {
            return new("photos", PreflightStatus.Problem, error.Message);
        }

        var count = folder.Pictures.Count;
        var bad = folder.Bad.Count == 0 ? string.Empty : $" {folder.Bad.Count} files cannot be used:{PictureFolder.List(folder.Bad)}\n";
        var inside = folder.NotEntered.Count == 0
            ? string.Empty
            : $" {folder.NotEntered.Count} in subfolders are not read: {ShownText.Names(folder.NotEntered)}.";
        var rest = inside + bad;
        if (count == 0)
            return new("photos", PreflightStatus.Problem, $"{ProjectFolder.Near(config.InstanceDataDir)} holds no usable picture.{rest}");
        if (bad.Length > 0 && config.OnBadImage == BadImagePolicy.Refuse)
            return new("photos", PreflightStatus.Problem, $"{count} pictures.{rest}Remove them, or set on_bad_image to skip.");
        return count switch
        {
            < FewPhotos => new(
                "photos", PreflightStatus.Warning,
                $"{count} pictures are few: with fewer than {FewPhotos} the model learns their background too.{rest}"),
            > ManyPhotos => new(
                "photos", PreflightStatus.Warning,
                $"{count} pictures: more than {ManyPhotos} rarely help; fewer good ones do more.{rest}"),
            _ => new("photos", rest.Length > 0 ? PreflightStatus.Warning : PreflightStatus.Ok, $"{count} pictures.{rest}"),
        };
    }

    private static PreflightCheck Resolution(DreamBoothConfig config, PictureFolder folder)
    {
        // Buckets have the square's area, and sides of other lengths.
        var most = config.Resolutions.Max();
        double Side(PictureFile picture) => config.AspectBuckets
            ? Math.Floor(Math.Sqrt((double)picture.Width * picture.Height)) : Math.Min(picture.Width, picture.Height);
        var small = folder.Pictures.Where(picture => Side(picture) < most).ToList();
        var smallest = folder.Pictures.Select(Side).DefaultIfEmpty(0).Min();
        var what = config.AspectBuckets ? $"as many pixels as a square of {most}" : $"at least {most} pixels on its shorter side";
        return small.Count == 0
            ? new("resolution", PreflightStatus.Ok, $"every picture has {what}")
            : new(
                "resolution", PreflightStatus.Warning,
                $"{small.Count} of {folder.Pictures.Count} pictures are smaller than {most} pixels (the smallest has "
                + $"{smallest}) and would be enlarged, which is learned as blur: {Names(small)}");
    }

    private static PreflightCheck Captions(DreamBoothConfig config, out DreamBoothDataset? dataset)
    {
        dataset = null;
        try
        {
            var options = config.DatasetOptions() with { ClassDataDir = null, ClassPrompt = null, NumClassImages = null };
            // Masks are of all subjects together.
            dataset = DreamBoothDataset.Load(
                options with { OnBadImage = BadImagePolicy.Skip, MinImageSize = 1, Mask = MaskSource.None });
            var prompts = dataset.DistinctPrompts;
            var found = prompts.Count == 1
                ? $"every picture is called “{ShownText.Line(prompts[0])}”"
                : $"{prompts.Count} different captions, the first “{ShownText.Line(prompts[0])}”";
            var warnings = DatasetReport.OfCaptions(dataset);
            return warnings.Count == 0
                ? new("captions", PreflightStatus.Ok, found)
                : new("captions", PreflightStatus.Warning, $"{found}. {string.Join(" ", warnings)}");
        }
        catch (LabException error)
        {
            return new("captions", PreflightStatus.Problem, error.Message);
        }
    }

    private static PreflightCheck Model(DreamBoothConfig config, out string? found, out ModelArchitecture? architecture)
    {
        (found, architecture) = (null, null);
        var path = config.PretrainedModelNameOrPath;
        try
        {
            // Nothing is downloaded for a check: what the hub's cache holds counts.
            path = new HubResolver(config.HubOptions() with { Offline = true }).Model(path, config.Revision, config.Variant);
            (architecture, found) = (ModelArchitecture.Read(path), path);
            if (config.Resolutions.Max() is var largest && largest > architecture.LargestSide)
                return new(
                    "model", PreflightStatus.Problem,
                    $"Pictures would be trained at {largest} pixels, and the model's table of positions ends at "
                    + $"{architecture.LargestSide} pixels. Give a lower resolution.");
            if (File.Exists(path))
                return new(
                    "model", PreflightStatus.Ok, $"{path}: {architecture.Name} in one file of {ByteSize.Text(new FileInfo(path).Length)}");
            var files = ModelArchitecture.CountFiles(path);
            var missing = architecture.Components.Select(component => component.Name).Except(files.Select(file => file.Name)).ToList();
            return missing.Count == 0
                ? new(
                    "model", PreflightStatus.Ok,
                    $"{ProjectFolder.Near(path)}: {string.Create(CultureInfo.InvariantCulture, $"{architecture.Parameters / 1e6:N0}")} "
                    + $"million numbers in {ByteSize.Text(files.Sum(file => file.TotalBytes))} of files")
                : new("model", PreflightStatus.Problem, $"{ProjectFolder.Near(path)} has no weights for {string.Join(", ", missing)}.");
        }
        catch (HubException error) when (error.Kind == HubErrorKind.Offline)
        {
            // Its size is known all the same.
            architecture = ModelArchitecture.IsSd35Medium(path) ? ModelArchitecture.Sd35Medium : null;
            return new(
                "model", PreflightStatus.Warning,
                $"{path} is not here; it is taken for a name on the hub and downloaded when the training starts, many GB. Now: dotnet run "
                + $"-- hub download {path}");
        }
        catch (LabException error)
        {
            return new("model", PreflightStatus.Problem, error.Message);
        }
    }

    private static PreflightCheck Memory(DreamBoothConfig config, ModelArchitecture architecture, int photos, long? memory)
    {
        var planner = new MemoryPlanner(architecture);
        try
        {
            var settings = MemorySettings.Of(
                config, photos + config.AllClassImages()) with
            { FreeT5 = config.ValidationPrompt is null };
            var available = memory is { } given
                ? new AvailableMemory(given, "given", false)
                : AvailableMemory.Read(DeviceSelection.Parse(config.Device));
            settings = MemoryChoice.Make(config.Memory, architecture, settings, available).Settings;
            var forecast = planner.Forecast(settings);
            PreflightCheck Of(PreflightStatus status, string message) => new("memory", status, message) { Details = OfAStep(forecast) };
            if (available is not { } free)
                return Of(
                    PreflightStatus.Warning,
                    $"about {ByteSize.Text(forecast.Peak)} predicted at the peak ({forecast.Highest.Phase}); what the "
                    + "device has free is not known");
            var usable = MemoryPlanner.Usable(free.Bytes, free.IsGpu);
            var (peak, there) = ByteSize.Pair(forecast.Peak, free.Bytes);
            var sentence = $"about {peak} predicted at the peak ({forecast.Highest.Phase}) in memory mode {MemoryChoice.Name(settings)}, "
                + $"{there} {free.Place}";
            if (forecast.Peak <= usable)
                return Of(PreflightStatus.Ok, sentence);
            return Of(PreflightStatus.Problem, planner.Fit(settings, usable) is { } fit
                ? $"{sentence}. It would fit with: {string.Join(", ", fit.Changes)} ({ByteSize.Text(fit.Forecast.Peak)})."
                : $"{sentence}. No settings that the planner knows would fit.");
        }
        catch (LabException error)
        {
            return new("memory", PreflightStatus.Problem, error.Message);
        }
    }

    private static string[] OfAStep(MemoryForecast forecast) =>
    [
        .. forecast.Phases.Where(phase => phase.Phase == "step").SelectMany(phase => phase.Terms).Where(term => term.Bytes > 0)
            .OrderByDescending(term => term.Bytes).Select(term => $"in a step, {term.Name}: {ByteSize.Text(term.Bytes)}"),
    ];

    private static string Names(List<PictureFile> pictures) =>
        ShownText.Names([.. pictures.Select(picture => Path.GetFileName(picture.Path))]);
}
