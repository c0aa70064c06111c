using System.Security.Cryptography;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Measures pictures that the miniature generated: how near they are to the real pictures of the character, whether they show it, and
/// whether they show what the prompt says. The classifier has learned the painted world alone; its readings of other pictures mean nothing.
/// </summary>
internal sealed class CharacterMeasures : IPictureJudge
{
    private readonly AttributeClassifier _classifier;
    private readonly Tensor _real;
    private readonly bool _graded;

    private CharacterMeasures(AttributeClassifier classifier, IReadOnlyList<RgbImage> pictures, bool graded)
    {
        (_classifier, _graded) = (classifier, graded);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _real = classifier.call(PixelTensors.Stack(pictures)).UnitFeatures().DetachFromDisposeScope();
        Ceiling = AttributeReading.MeanOfOthers(_real, _real);
    }

    /// <inheritdoc/>
    public double Ceiling { get; }

    /// <inheritdoc/>
    public string Name => _graded ? "the miniature's classifier, graded" : "the miniature's classifier";

    /// <inheritdoc/>
    public required string Fingerprint { get; init; }

    /// <inheritdoc/>
    public string FidelityScore => CharacterReading.FidelityScore;

    /// <inheritdoc/>
    public string AdherenceScore => CharacterReading.AdherenceScore;

    /// <summary>Loads a classifier and reads the subject's real pictures.</summary>
    /// <param name="classifier">The classifier's folder.</param>
    /// <param name="subject">A folder with at least two PNG pictures.</param>
    /// <param name="graded">
    /// Whether adherence is the probability that the classifier gives to what the prompt says instead of a yes or no for each: few pictures
    /// then tell LoRA apart that would otherwise tie.
    /// </param>
    /// <exception cref="LabException">A folder is missing or damaged, or there are fewer than two pictures.</exception>
    public static CharacterMeasures Load(string classifier, string subject, bool graded = false)
    {
        var pictures = RealPictures.Load(subject);
        // The manifest holds the hash of the weights, which loading checks.
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(File.ReadAllBytes(Path.Combine(classifier, MiniatureFolder.ManifestName)));
        pictures.ForEach(picture => hash.AppendData(picture.Pixels));
        var model = AttributeClassifier.Load(classifier, CPU);
        try
        {
            return new CharacterMeasures(model, pictures, graded) { Fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset()) };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var reading = Classify(image);
        var scores = Reading(prompt, reading).Scores();
        return _graded ? Graded(prompt, reading, scores) : scores;
    }

    /// <inheritdoc/>
    public IReadOnlyList<NearestTrainingPicture>? Nearest(IReadOnlyList<RgbImage> images)
    {
        if (images.Count == 0)
            return [];
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var features = cat([.. images.Select(image => Classify(image).UnitFeatures())], dim: 0);
        return new CopySearch(UnitVectors.Of(_real)).Find(UnitVectors.Of(features));
    }

    /// <summary>Reads a picture.</summary>
    /// <param name="prompt">What it was to show.</param>
    /// <param name="image">The picture.</param>
    public CharacterReading Read(string prompt, RgbImage image)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        return Reading(prompt, Classify(image));
    }

    /// <summary>Reads a picture of a sweep.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <param name="result">One of its records.</param>
    public CharacterReading Read(SweepOutcome outcome, SweepResult result)
    {
        return Read(result.Item.Prompt, ImageDecoder.Load(outcome.PathOf(result)));
    }

    /// <summary>The pictures of a sweep that lack something of what their prompts say, with what was read instead.</summary>
    /// <param name="outcome">The sweep.</param>
    public IReadOnlyList<(SweepResult Result, CharacterReading Reading)> Misses(SweepOutcome outcome) =>
        [.. outcome.Results.Select(result => (result, Reading: Read(outcome, result))).Where(entry => entry.Reading.Missed.Length > 0)];

    /// <inheritdoc/>
    public void Dispose()
    {
        _classifier.Dispose();
        _real.Dispose();
    }

    private static Dictionary<string, double> Graded(string prompt, AttributeReading reading, IReadOnlyDictionary<string, double> scores)
    {
        var graded = new Dictionary<string, double>(scores);
        var asked = PromptImplications.Of(prompt);
        if (asked.Count > 0)
            graded[CharacterReading.AdherenceScore] = asked.Average(
                implied => reading.LogitsOf(implied.Attribute).softmax(1)[0, implied.Class].item<float>());
        return graded;
    }

    private AttributeReading Classify(RgbImage image) => _classifier.call(PixelTensors.Stack([image]));

    private CharacterReading Reading(string prompt, AttributeReading reading)
    {
        var fidelity = reading.UnitFeatures().mm(_real.t()).mean().item<float>();
        var classes = reading.Classes()[0];
        var read = DrawingAttributes.All.Zip(classes).ToDictionary(entry => entry.First.Name, entry => entry.First.Classes[entry.Second]);
        var asked = PromptImplications.Of(prompt)
            .ToDictionary(implied => implied.Attribute.Name, implied => implied.Attribute.Classes[implied.Class]);
        var adherence = asked.Count == 0 ? double.NaN : asked.Count(entry => read[entry.Key] == entry.Value) / (double)asked.Count;
        return new CharacterReading(fidelity, reading.Identity.item<float>() > 0, adherence, asked, read);
    }
}
