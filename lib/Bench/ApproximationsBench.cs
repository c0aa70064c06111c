using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Bench;

/// <summary><c>bench approximations</c>: what each way to generate faster costs in pictures of the shipped model.</summary>
internal static class ApproximationsBench
{
    private const string Page = "approximations.html";

    public static Command Create(Session session) => BenchFlags.Verb<Flags>(
        "approximations",
        "Generates the miniature's pictures of its character with all steps, with fewer, with the transformer's blocks in some steps "
        + "only, with their products in 8 bits, or with refined guidance, and has its classifier judge them: fidelity, adherence, "
        + "difference to the exact pictures. Times at full size come from "
        + "`bench full-size --rows pictures,pictures-steps-14,… --json FILE`.",
        flags => Run(flags, session));

    private static int Run(Flags flags, Session session)
    {
        var settings = Approximation.Parse(flags.Settings);
        var place = PipelineOptions.Parse(flags.Device, "fp32");
        var record = new BenchRecord(flags.Json, "approximations", place.Device);
        var times = flags.FullSize is null ? [] : FullSizeSeconds(flags.FullSize);
        using var judge = CharacterMeasures.Load(flags.Classifier, flags.Subject, graded: true);
        var axes = new SweepAxes
        {
            Prompts = [.. flags.Prompts.Split(',').SelectMany(PromptList.Read)],
            Seeds = [.. Enumerable.Range(0, flags.Seeds).Select(seed => (ulong)seed)],
            Loras = [WeightedLora.Parse(flags.Lora)],
            Guidances = [flags.Guidance],
            Steps = Approximation.ExactSteps,
        };
        using var benchmark = new ApproximationsBenchmark(
            quantization => StableDiffusion3Pipeline.Load(flags.Model, place with { Quantization = quantization }), judge, axes,
            flags.OutputDir);
        session.Output.WriteLine($"{axes.Prompts.Count} prompts, {flags.Seeds} seeds, guidance {Number(flags.Guidance, "0.#")}");
        var figures = new List<ApproximationFigure>();
        foreach (var measured in benchmark.Run(settings, session.Cancellation))
        {
            var figure = measured with { FullSizeSeconds = times.TryGetValue(measured.Approximation.Name, out var time) ? time : null };
            figures.Add(figure);
            record.Add(new { prompts = axes.Prompts.Count, seeds = flags.Seeds, result = figure });
            session.Error.WriteLine($"measured: {figure.Approximation.Title}");
        }

        var page = new ApproximationsPage(figures, axes, judge.Name);
        page.Build().Save(Path.Combine(flags.OutputDir, Page));
        session.Output.WriteLine(page.Table().ToText());
        session.Output.WriteLine(Path.Combine(flags.OutputDir, Page));
        return ExitCode.Success;
    }

    // Seconds a picture, by the approximation's name; the last line of a row counts.
    private static Dictionary<string, double> FullSizeSeconds(string file)
    {
        const string prefix = "pictures-";
        var seconds = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var line in File.ReadLines(file).Where(line => line.Length > 0))
        {
            var row = JsonField.Parse(line, file);
            var name = row.Get("row").Text();
            var time = row.Get("result").Get("milliseconds");
            if (name == "pictures" || name.StartsWith(prefix, StringComparison.Ordinal))
                seconds[name == "pictures" ? Approximation.Exact.Name : name[prefix.Length..]] = time.Number() / 1000 / PicturesARow;
        }

        return seconds;
    }

    private static int PicturesARow => new FullSizeBenchmarkOptions().Images;

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private sealed record Flags
    {
        private const string Group = "What is measured";

        [Flag(Group, "The model.", Placeholder = "FOLDER")]
        public string Model { get; init; } = "data/sd3-mini";

        [Flag(Group, "The LoRA of the subject.", Placeholder = "PATH[=WEIGHT]")]
        public string Lora { get; init; } = "data/gmc-cat-lora";

        [Flag(Group, "The classifier that judges.", Placeholder = "FOLDER")]
        public string Classifier { get; init; } = "data/sd3-mini-classifier";

        [Flag(Group, "The subject's photos.", Placeholder = "FOLDER")]
        public string Subject { get; init; } = "data/cat_gmc";

        [Flag(
            Group, "What is compared with the exact pictures, separated by commas: names as in the page, or faster (fewer steps, kept "
            + "blocks), or guided (what refines guidance).", Placeholder = "NAMES")]
        public string Settings { get; init; } = "faster";

        [Flag(Group, "Files of prompts, separated by commas.", Placeholder = "FILES")]
        public string Prompts { get; init; } =
            "data/prompts/miniature/recontextualization.txt,data/prompts/miniature/art.txt,data/prompts/miniature/property.txt";

        [Flag(Group, "Seeds of each prompt.", Minimum = 1)]
        public int Seeds { get; init; } = 4;

        [Flag(Group, "Classifier-free guidance.", Minimum = 0)]
        public double Guidance { get; init; } = 4;

        [Flag(Group, "Times of `bench full-size`, its --json.", Placeholder = "FILE")]
        public string? FullSize { get; init; }

        [Flag(Group, "auto (CUDA where there is one), cpu, cuda or cuda:N.", Placeholder = "DEVICE")]
        public string Device { get; init; } = "auto";

        [Flag(Group, "Folder for pictures and page.", Placeholder = "FOLDER")]
        public string OutputDir { get; init; } = "outputs/approximations";

        [Flag(Group, "Add every figure to this file as it is measured: a line of JSON with what it was measured on.", Placeholder = "FILE")]
        public string? Json { get; init; }
    }
}
