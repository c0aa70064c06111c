using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>The page of a demonstration, from what lies in its folder: also of one that was ended early.</summary>
/// <param name="options">What it was made from.</param>
/// <param name="folder">What was made.</param>
/// <param name="complete">Whether everything was made.</param>
internal sealed class DemoPage(DemoOptions options, DemoFolder folder, bool complete)
{
    private const int FamilyColumns = 5;

    private readonly IReadOnlyList<StepRecord> _steps = StepLog.Read(folder.Lora);

    /// <summary>Builds the page.</summary>
    public Report Build() => new()
    {
        Title = "A cat that the model had never seen",
        Lead = $"DreamBooth teaches a text-to-image model one subject from a few pictures. Below: the pictures it learned from, the "
            + $"training, and what the model draws when a prompt says “{ShownText.Line(Identifier)}”.",
        Facts = Facts(),
        Sections = [Instance(), Training(), Comparison(), .. DemoRun.Families.Select(family => Family(family.Name, family.Title)), Figures()],
        Footer = complete ? string.Empty : "This run was ended early. Running the demo again goes on where it stopped.",
    };

    /// <summary>Writes each family's pictures as one contact sheet beside the page.</summary>
    public void SaveSheets()
    {
        foreach (var (name, title) in DemoRun.Families)
        {
            if (Grid(name) is { } grid)
                ImageEncoder.Save(folder.Sheet(name), (grid with { Title = title }).ToImage());
        }
    }

    private DreamBoothConfig Config => options.Training;

    // "a photo of gmc cat" → "gmc cat": what stands after the last "of".
    private string Identifier
    {
        get
        {
            var at = Config.InstancePrompt.LastIndexOf(" of ", StringComparison.Ordinal);
            return at < 0 ? Config.InstancePrompt : Config.InstancePrompt[(at + 4)..];
        }
    }

    private List<(string Label, string Value)> Facts()
    {
        var made = DemoRun.SweepNames.Sum(name => folder.Results(name).Count);
        List<(string, string)> facts =
        [
            ("pictures to learn from", Number(InstancePictures().Count)),
            ("training steps", Number(_steps.Count)),
            ("pictures drawn", Number(made)),
        ];
        if (folder.PhaseSeconds.Count > 0)
            facts.Add(("in all", Duration(folder.PhaseSeconds.Values.Sum())));
        return facts;
    }

    private ReportSection Instance() => new(
        "The subject",
        $"{InstancePictures().Count} pictures, each with the prompt “{ShownText.Line(Config.InstancePrompt)}”.",
        [ImageGrid.Of(InstancePictures().Select(file => GridCell.FromFile(file.Path, details: Path.GetFileName(file.Path))), 12) with { CellSize = 120, Embedding = PictureEmbedding.Original }]);

    private IReadOnlyList<PictureFile> InstancePictures() => PictureFolder.Read(Config.InstanceDataDir, Config.OnBadImage).Pictures;

    private ReportSection Training()
    {
        var views = new List<HtmlView> { new LossPlot { Records = _steps, MaxSteps = Config.MaxTrainSteps } };
        if (Config.WithPriorPreservation && Directory.Exists(folder.ClassPictures))
        {
            var pictures = PictureFolder.Read(folder.ClassPictures, BadImagePolicy.Skip).Pictures;
            views.Add(ImageGrid.Of(pictures.Take(12).Select(file => GridCell.FromFile(file.Path, details: Config.ClassPrompt!)), 12) with
            {
                Title = $"Class pictures, drawn by the model itself: “{ShownText.Line(Config.ClassPrompt!)}”",
                CellSize = 120,
                Embedding = PictureEmbedding.Original,
            });
        }

        var text = $"A LoRA of rank {Config.Rank} on the transformer{(Config.TrainTextEncoder ? " and both CLIP encoders" : string.Empty)}. "
            + (Config.WithPriorPreservation
                ? "Prior preservation learns from class pictures as well, so that a cat without the name stays any cat."
                : string.Empty);
        return new ReportSection("Training", text, views);
    }

    private ReportSection Comparison()
    {
        var sides = new[] { (Heading: "Before", Name: DemoRun.Before), (Heading: "After", Name: DemoRun.After) }
            .Select(side => (side.Heading, side.Name, Results: folder.Results(side.Name))).Where(side => side.Results.Count > 0).ToArray();
        var grid = ImageGrid.By(
            sides.SelectMany(side => side.Results.Select(result => (side.Heading, side.Name, Result: result))),
            entry => entry.Result.Item.Prompt,
            entry => $"{entry.Heading} {entry.Result.Item.Column}",
            entry => Cell(entry.Name, entry.Result, captioned: false)) with
        {
            ColumnHeadings = [.. sides.SelectMany(side => Columns(side.Results))],
            ColumnGroups = [.. sides.Select(side => (side.Heading, Columns(side.Results).Length))],
            Embedding = PictureEmbedding.Original,
        };
        return new ReportSection(
            "Before and after",
            "The same prompts and seeds without and with the trained LoRA. "
                + (sides.Any(side => side.Results.Any(result => !result.Item.Prompt.Contains(Identifier, StringComparison.Ordinal))) ? $"Where a prompt does not say “{ShownText.Line(Identifier)}”, little should change." : string.Empty),
            [grid]);
    }

    private static string[] Columns(IEnumerable<SweepResult> results) => [.. results.Select(result => result.Item.Column).Distinct()];

    private ReportSection Family(string name, string title)
    {
        var grid = Grid(name);
        return new ReportSection(title, grid is null ? "Not drawn yet." : string.Empty, grid is null ? [] : [grid]);
    }

    private ImageGrid? Grid(string family)
    {
        var results = folder.Results(family);
        return results.Count == 0 ? null
            : ImageGrid.Of(results.Select(result => Cell(family, result, captioned: true)), FamilyColumns) with { CellSize = 240, Embedding = PictureEmbedding.Original };
    }

    private GridCell Cell(string sweep, SweepResult result, bool captioned) =>
        SweepViews.Cell(folder.Sweep(sweep), result, captioned ? result.Item.Prompt : string.Empty);

    private ReportSection Figures()
    {
        var scores = new DemoScores(folder, Identifier, options.FidelityCeiling).Tables();
        return new ReportSection("Figures", scores.Count == 0 ? string.Empty : DemoScores.Explanation, [.. scores, Times(), Settings()]);
    }

    private TextTable Times()
    {
        (string Phase, string Key, int Count, string Unit)[] phases =
        [
            ("Before", DemoRun.Before, folder.Results(DemoRun.Before).Count, "pictures"),
            ("Class pictures", DemoRun.ClassPhase, Config.NumClassImages, "pictures"),
            ("Training", DemoRun.TrainingPhase, _steps.Count, "steps"),
            ("After", DemoRun.After, folder.Results(DemoRun.After).Count, "pictures"),
            .. DemoRun.Families.Select(family => (family.Title, family.Name, folder.Results(family.Name).Count, "pictures")),
        ];
        return new TextTable
        {
            Columns = ["Phase", "Done", "", "Time", "Each"],
            Rows = [.. phases.Where(phase => folder.PhaseSeconds.ContainsKey(phase.Key)).Select(phase => (IReadOnlyList<string>)
            [
                phase.Phase, Number(phase.Count), phase.Unit, Duration(folder.PhaseSeconds[phase.Key]),
                phase.Count == 0 ? "–" : string.Create(CultureInfo.InvariantCulture, $"{folder.PhaseSeconds[phase.Key] / phase.Count:0.00} s"),
            ])],
        };
    }

    private TextTable Settings()
    {
        var machine = SystemReport.Collect();
        var device = DeviceSelection.Parse(Config.Device);
        return new TextTable
        {
            Columns = ["Setting", "Value"],
            Rows =
            [
                ["Model", Path.GetFileName(Path.TrimEndingDirectorySeparator(Config.PretrainedModelNameOrPath))],
                ["Training", string.Create(CultureInfo.InvariantCulture, $"{Config.Resolution} pixels, batch {Config.TrainBatchSize} × {Config.GradientAccumulationSteps}, rank {Config.Rank}, learning rate {Config.LearningRate:0.####e-0}")
                    + (Config.TrainTextEncoder ? string.Create(CultureInfo.InvariantCulture, $" (text encoders {Config.TextEncoderLr:0.####e-0})") : string.Empty)
                    + $", seed {Config.Seed}"],
                ["Prior preservation", Config.WithPriorPreservation ? string.Create(CultureInfo.InvariantCulture, $"{Config.NumClassImages} class pictures, weight {Config.PriorLossWeight:0.###}") : "off"],
                ["Sampling", string.Create(CultureInfo.InvariantCulture, $"{options.Steps} steps, guidance {options.Guidance:0.##}, seeds from {options.Seed}, {options.BatchSize} at a time")],
                ["Machine", $"{(device.type == TorchSharp.DeviceType.CUDA ? machine.Gpus[device.index].Name : $"{machine.Processors} processor cores")}, {machine.System}"],
                ["Software", $"Dreambooth.Lab {machine.Lab}, {machine.DotNet}, libtorch {machine.LibTorch}"],
            ],
        };
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Duration(double seconds) => seconds < 60
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60}:{(int)seconds % 60:00} min");
}
