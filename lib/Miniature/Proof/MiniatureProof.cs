using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>
/// Puts the miniature to the proof: generates captions of combinations that training never saw and lets the attribute classifier read
/// the pictures, compares guidances, and measures the autoencoder.
/// </summary>
internal sealed class MiniatureProof : IDisposable
{
    private const int SheetPictures = 64;
    private const int SheetColumns = 8;

    private readonly ProofOptions _options;
    private readonly StableDiffusion3Pipeline _pipeline;
    private readonly AttributeClassifier _classifier;

    private MiniatureProof(ProofOptions options)
    {
        _options = options;
        MiniatureFolder.Verify(options.Model);
        _pipeline = StableDiffusion3Pipeline.Load(options.Model, new PipelineOptions { Device = options.Device });
        _classifier = AttributeClassifier.Load(options.Classifier, options.Device);
    }

    /// <summary>Runs the proof.</summary>
    /// <param name="options">What and how much.</param>
    /// <param name="output">
    /// Folder for <c>proof.json</c>, <c>proof.md</c>, <c>misread.json</c> and sheets of pictures, or null for none.
    /// </param>
    /// <exception cref="LabException">A folder is damaged.</exception>
    public static ProofReport Run(ProofOptions options, string? output = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var noGradients = no_grad();
        using var proof = new MiniatureProof(options);
        var report = proof.Run(output);
        if (output is null)
            return report;
        JsonFile.Write(Path.Combine(output, "proof.json"), report);
        AtomicFile.WriteAllText(Path.Combine(output, "proof.md"), report.ToMarkdown());
        return report;
    }

    /// <summary>Frees the models.</summary>
    public void Dispose()
    {
        _pipeline.Dispose();
        _classifier.Dispose();
    }

    private ProofReport Run(string? output)
    {
        var combinations = CaptionedCombination.Draw(_options.Combinations, _options.Seed);
        var psnr = MeasureVae();
        _options.Log(FormattableString.Invariant($"autoencoder: {psnr:F2} dB"));
        var generated = Generate(combinations, _options.GuidanceScale, output);
        if (output is not null)
            JsonFile.Write(Path.Combine(output, "misread.json"), Misread(combinations, generated).ToArray());
        var drawn = ReadDrawings(combinations);
        var rates = Rates(combinations, generated)
            .Zip(Rates(combinations, drawn), (ours, real) => new AttributeRate(ours.Name, ours.Rate, real.Rate, ours.Count)).ToArray();
        foreach (var rate in rates)
            _options.Log(FormattableString.Invariant(
                $"{rate.Attribute}: {rate.Generated:P1} of {rate.Count} generated, {rate.Drawn:P1} of painted pictures"));
        return new ProofReport(
            combinations.Count, _options.Steps, _options.GuidanceScale, psnr, rates,
            [.. _options.GuidanceSweep.Select(scale => Sweep(combinations, scale))]);
    }

    private GuidanceRate Sweep(IReadOnlyList<CaptionedCombination> combinations, double scale)
    {
        var part = combinations.Take(_options.SweepCombinations).ToArray();
        var rates = Rates(part, Generate(part, scale, null)).ToDictionary(rate => rate.Name, rate => rate.Rate);
        double[] four = [rates["kind"], rates["colour"], rates["scene"], rates["rendition"]];
        _options.Log(FormattableString.Invariant($"guidance {scale}: adherence {four.Average():P1}"));
        return new GuidanceRate(scale, four.Average(), four[0], four[1], four[2], four[3]);
    }

    // The class that the classifier reads of each attribute, picture by picture.
    private int[][] Generate(IReadOnlyList<CaptionedCombination> combinations, double guidance, string? output)
    {
        var read = new List<int[]>();
        var cells = new List<ContactSheetCell>();
        foreach (var part in combinations.Chunk(_options.BatchSize))
        {
            _options.Cancellation.ThrowIfCancellationRequested();
            var images = _pipeline.Generate(new GenerationRequest
            {
                Prompts = [.. part.Select(combination => combination.Caption)],
                NumInferenceSteps = _options.Steps,
                GuidanceScale = guidance,
                Seed = _options.Seed + (ulong)read.Count,
            }, cancellation: _options.Cancellation);
            read.AddRange(Read(images));
            cells.AddRange(images.Select((image, i) => new ContactSheetCell(image, part[i].Caption)));
        }

        for (var first = 0; output is not null && first < cells.Count; first += SheetPictures)
        {
            var sheet = ContactSheet.Of(cells.Skip(first).Take(SheetPictures), SheetColumns) with { CellSize = 160, MaxCaptionLines = 4 };
            ImageEncoder.Save(Path.Combine(output, $"proof-{first / SheetPictures}.png"), sheet.Render());
        }

        return [.. read];
    }

    private int[][] ReadDrawings(IReadOnlyList<CaptionedCombination> combinations) =>
        [.. combinations.Chunk(_options.BatchSize)
            .SelectMany(part => Read([.. part.Select(combination => WorldRenderer.Render(combination.Spec, _pipeline.DefaultSize))]))];

    private int[][] Read(IReadOnlyList<RgbImage> images)
    {
        using var scope = NewDisposeScope();
        return _classifier.call(PixelTensors.Stack(images).to(_options.Device)).Classes();
    }

    private static IEnumerable<(string Name, double Rate, int Count)> Rates(IReadOnlyList<CaptionedCombination> combinations, int[][] read)
    {
        for (var a = 0; a < DrawingAttributes.All.Count; a++)
        {
            var attribute = DrawingAttributes.All[a];
            yield return Rate(attribute.Name, a, attribute.IsShown);
        }

        var rendition = DrawingAttributes.All.ToList().IndexOf(DrawingAttributes.Rendition);
        yield return Rate("art", rendition, spec => spec.Rendition != Rendition.Photo);

        (string, double, int) Rate(string name, int index, Func<WorldSpec, bool> counts)
        {
            var rows = Enumerable.Range(0, combinations.Count).Where(row => counts(combinations[row].Spec)).ToArray();
            var right = rows.Count(row => DrawingAttributes.All[index].ClassOf(combinations[row].Spec) == read[row][index]);
            return (name, rows.Length == 0 ? 1 : (double)right / rows.Length, rows.Length);
        }
    }

    private static IEnumerable<Misreading> Misread(IReadOnlyList<CaptionedCombination> combinations, int[][] read) =>
        from row in Enumerable.Range(0, combinations.Count)
        from index in Enumerable.Range(0, DrawingAttributes.All.Count)
        let attribute = DrawingAttributes.All[index]
        let asked = attribute.ClassOf(combinations[row].Spec)
        let seen = read[row][index]
        where attribute.IsShown(combinations[row].Spec) && asked != seen
        select new Misreading(row, combinations[row].Caption, attribute.Name, attribute.Classes[asked], attribute.Classes[seen]);

    private double MeasureVae()
    {
        double sum = 0;
        for (var first = 0; first < _options.VaePictures; first += _options.BatchSize)
        {
            using var scope = NewDisposeScope();
            var rows = Math.Min(_options.BatchSize, _options.VaePictures - first);
            var target = PixelTensors.Stack(
                [.. Enumerable.Range(first, rows)
                    .Select(
                        i => WorldRenderer.Render(
                            WorldSampler.Draw(_options.Seed + (ulong)i, CombinationSplit.HeldOutOnly), _pipeline.DefaultSize))])
                                .to(_options.Device);
            sum += rows * VaeTraining.Psnr(target, _pipeline.Vae.Decode(_pipeline.Vae.Encode(target).Mean)).item<float>();
        }

        return sum / _options.VaePictures;
    }
}
