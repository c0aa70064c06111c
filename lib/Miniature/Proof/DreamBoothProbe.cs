using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>Generates pictures of the character, of ordinary cats and of the three families, and lets the classifier read them.</summary>
internal sealed class DreamBoothProbe : IDisposable
{
    private const int SheetColumns = 10;
    private const int ComparedPictures = 8;
    private const int PaintedPerPrompt = 16;

    private static readonly string[] Families = ["recontextualization", "art", "property"];

    private readonly DreamBoothProofOptions _options;
    private readonly StableDiffusion3Pipeline _pipeline;
    private readonly AttributeClassifier _classifier;
    private readonly List<RgbImage> _pictures;
    private readonly Tensor _real;
    private readonly bool[] _realIdentity;
    private readonly List<(string Heading, RgbImage[] Pictures)> _compared = [];

    /// <summary>Loads the models and reads the real pictures.</summary>
    /// <exception cref="LabException">A folder is missing or damaged.</exception>
    public DreamBoothProbe(DreamBoothProofOptions options)
    {
        _options = options;
        var device = Native.DeviceSelection.Parse(options.Training.Device);
        MiniatureFolder.Verify(options.Training.PretrainedModelNameOrPath);
        _pipeline = StableDiffusion3Pipeline.Load(options.Training.PretrainedModelNameOrPath, new PipelineOptions { Device = device });
        _classifier = AttributeClassifier.Load(options.Classifier, device);
        _pictures = RealPictures.Load(options.Training.InstanceDataDir);
        (_real, _realIdentity, _) = Read(_pictures);
    }

    /// <summary>Reads the real pictures, the same after the autoencoder, and the painter's pictures by the families' prompts.</summary>
    public DreamBoothCeiling Ceiling()
    {
        using var scope = NewDisposeScope();
        var pixels = PixelTensors.Stack(_pictures).to(_pipeline.Options.Device);
        var shown = _pipeline.Vae.Decode(_pipeline.Vae.Encode(pixels).Mean).clamp(KeptScalar.Of(-1), KeptScalar.One);
        var decoded = Read([.. PixelTensors.Unstack(shown.cpu())]);
        var (adherence, identity) = (new Dictionary<string, double>(), new Dictionary<string, double>());
        foreach (var family in Families)
            (adherence[family], identity[family]) = Painted(family);
        var ceiling = new DreamBoothCeiling(
            AttributeReading.MeanOfOthers(_real, _real), Share(_realIdentity), AttributeReading.MeanOfOthers(decoded.Features, _real),
            Share(decoded.Identity), adherence, identity);
        decoded.Features.Dispose();
        return ceiling;
    }

    /// <summary>Reads the model's pictures.</summary>
    /// <param name="name">Name of the sheets of pictures.</param>
    /// <param name="lora">A LoRA to load, or null for the model as it is.</param>
    public DreamBoothReading Measure(string name, string? lora)
    {
        if (lora is not null)
            _pipeline.LoadLora(lora);
        try
        {
            return Measure(name);
        }
        finally
        {
            if (lora is not null)
                _pipeline.UnloadLora(_pipeline.Adapters[^1]);
        }
    }

    /// <summary>
    /// Saves the first pictures of the instance prompt, with and without its identifier, of every model measured: <c>comparison.png</c>.
    /// </summary>
    public void SaveComparison() => ImageEncoder.Save(
        Path.Combine(_options.Output, "comparison.png"),
        new ContactSheet
        {
            Rows = [.. _compared.Select(row => row.Pictures.Select(picture => new ContactSheetCell(picture)).ToArray())],
            RowHeadings = [.. _compared.Select(row => row.Heading)],
            CellSize = 128,
        }.Render());

    /// <summary>Frees the models.</summary>
    public void Dispose()
    {
        _real.Dispose();
        _pipeline.Dispose();
        _classifier.Dispose();
    }

    private DreamBoothReading Measure(string name)
    {
        var plain = Enumerable.Repeat(_options.Training.InstancePrompt, _options.PlainPictures).ToArray();
        var families = Families.ToDictionary(family => family, Prompts);
        var photos = (string[])[.. plain, .. families[Families[0]]];
        var (photoFeatures, photoIdentity, photoClasses) = Generate($"{name}-photos", photos, _options.Seed, name);
        using var features = photoFeatures;
        using var cosines = features.mm(_real.t());
        var (classFeatures, classIdentity, _) = Generate($"{name}-class", [.. photos.Select(WithoutIdentifier)], _options.Seed, name);
        classFeatures.Dispose();
        var (adherence, identity) = (new Dictionary<string, double>(), new Dictionary<string, double>());
        adherence[Families[0]] = Adherence(photos[plain.Length..], photoClasses[plain.Length..]);
        identity[Families[0]] = Share(photoIdentity[plain.Length..]);
        foreach (var family in Families.Skip(1))
        {
            var (unused, shown, classes) = Generate($"{name}-{family}", families[family], _options.Seed);
            unused.Dispose();
            adherence[family] = Adherence(families[family], classes);
            identity[family] = Share(shown);
        }

        return new DreamBoothReading(cosines.mean().item<float>(), Share(photoIdentity), Share(classIdentity), adherence, identity);
    }

    private (double Adherence, double Identity) Painted(string family)
    {
        var prompts = Prompts(family, PaintedPerPrompt);
        var pictures = prompts.Select((prompt, i) => WorldRenderer.RenderCharacter(
            Character.GmcCat, CharacterPictures.Describe(Character.GmcCat, prompt, _options.Seed + (ulong)i)));
        var (features, identity, classes) = Read([.. pictures]);
        features.Dispose();
        return (Adherence(prompts, classes), Share(identity));
    }

    private string[] Prompts(string family) => Prompts(family, _options.PicturesPerPrompt);

    private string[] Prompts(string family, int picturesEach)
    {
        var lines = Sweeps.PromptList.Read(Path.Combine(_options.Prompts, family + ".txt"));
        return [.. Enumerable.Repeat(lines, picturesEach).SelectMany(list => list)];
    }

    // The same prompt about any cat.
    private static string WithoutIdentifier(string prompt) =>
        prompt.Replace($"{Character.GmcCat.Name} cat", Captioner.WithArticle("cat"), StringComparison.Ordinal);

    // Where a model is named, its first pictures go into the comparison.
    private (Tensor Features, bool[] Identity, int[][] Classes) Generate(string name, string[] prompts, ulong seed, string? model = null)
    {
        var images = new List<RgbImage>();
        foreach (var part in prompts.Chunk(_options.BatchSize))
        {
            images.AddRange(_pipeline.Generate(
                new GenerationRequest
                {
                    Prompts = part,
                    NumInferenceSteps = _options.Steps,
                    GuidanceScale = _options.GuidanceScale,
                    MaxSequenceLength = _options.Training.MaxSequenceLength,
                    Seed = seed + (ulong)images.Count,
                },
                cancellation: _options.Cancellation));
        }

        if (model is not null)
            _compared.Add(($"{model}: {ShownText.Line(prompts[0])}", [.. images.Take(Math.Min(ComparedPictures, _options.PlainPictures))]));
        var read = Read(images);
        var sheet = ContactSheet.Of(
            images.Select((image, i) => new ContactSheetCell(image, Caption(prompts[i], read.Classes[i]))), SheetColumns);
        ImageEncoder.Save(Path.Combine(_options.Output, $"{name}.png"), (sheet with { CellSize = 128, MaxCaptionLines = 4 }).Render());
        return read;
    }

    // The prompt, and what of it the classifier does not find.
    private static string Caption(string prompt, int[] read)
    {
        string[] missed = [.. Kept(prompt, read).Where(kept => !kept.Is).Select(kept => $"no {kept.Attribute}")];
        var shown = ShownText.Line(prompt);
        return missed.Length == 0 ? shown : $"{shown} ({string.Join(", ", missed)})";
    }

    // Features have length 1.
    private (Tensor Features, bool[] Identity, int[][] Classes) Read(List<RgbImage> images)
    {
        using var scope = NewDisposeScope();
        var reading = _classifier.call(PixelTensors.Stack(images).to(_pipeline.Options.Device));
        var identity = reading.Identity.gt(KeptScalar.Of(0)).cpu().data<bool>().ToArray();
        return (reading.UnitFeatures().DetachFromDisposeScope(), identity, reading.Classes());
    }

    private static double Adherence(string[] prompts, int[][] read) =>
        Share([.. prompts.SelectMany((prompt, row) => Kept(prompt, read[row])).Select(kept => kept.Is)]);

    private static IEnumerable<(string Attribute, bool Is)> Kept(string prompt, int[] read)
    {
        var names = DrawingAttributes.All.Select(attribute => attribute.Name).ToList();
        return PromptImplications.Of(prompt)
            .Select(implied => (implied.Attribute.Name, read[names.IndexOf(implied.Attribute.Name)] == implied.Class));
    }

    private static double Share(bool[] values) => values.Count(value => value) / (double)values.Length;
}
