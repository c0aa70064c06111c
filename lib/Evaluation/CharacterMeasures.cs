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
public sealed class CharacterMeasures : IPictureJudge
{
    private readonly AttributeClassifier? _classifier;
    private readonly Tensor? _real;

    private CharacterMeasures() => Ceiling = double.NaN;

    private CharacterMeasures(AttributeClassifier classifier, IReadOnlyList<RgbImage> pictures)
    {
        _classifier = classifier;
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _real = classifier.call(PixelTensors.Stack(pictures)).UnitFeatures().DetachFromDisposeScope();
        Ceiling = AttributeReading.MeanOfOthers(_real, _real);
    }

    /// <summary>Whether there is a classifier for what the model generates; without one there are no scores.</summary>
    public bool Known => _classifier is not null;

    /// <summary>
    /// Mean cosine between each two of the real pictures: the most that fidelity can come to. NaN where nothing is known.
    /// </summary>
    public double Ceiling { get; }

    /// <summary>This where something is known, else null.</summary>
    public IPictureJudge? Judge => Known ? this : null;

    /// <summary>
    /// The same, but adherence is the probability that the classifier gives to what the prompt says instead of a yes or no for each: few
    /// pictures then tell LoRA apart that would otherwise tie. Null where nothing is known. It lives as long as this.
    /// </summary>
    public IPictureJudge? GradedJudge => Known ? new Grading(this) : null;

    /// <inheritdoc/>
    public string Name => "the miniature's classifier";

    /// <inheritdoc/>
    public string FidelityScore => CharacterReading.FidelityScore;

    /// <inheritdoc/>
    public string AdherenceScore => CharacterReading.AdherenceScore;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image) => Read(prompt, image).Scores();

    /// <summary>Loads a classifier, reads the subject's real pictures, and checks that the model is the one that it knows.</summary>
    /// <param name="classifier">The classifier's folder; null where there is none for what the model generates.</param>
    /// <param name="subject">A folder with at least two PNG pictures; not read without a classifier.</param>
    /// <param name="model">The model's folder.</param>
    /// <returns>Measures; without a classifier, some that know nothing and score nothing.</returns>
    /// <exception cref="LabException">A folder is missing or damaged, or there are fewer than two pictures.</exception>
    public static CharacterMeasures Open(string? classifier, string subject, string model)
    {
        if (classifier is null)
            return new CharacterMeasures();
        MiniatureFolder.VerifyIfListed(model);
        return Load(classifier, subject);
    }

    /// <summary>Loads a classifier and reads the subject's real pictures.</summary>
    /// <param name="classifier">The classifier's folder.</param>
    /// <param name="subject">A folder with at least two PNG pictures.</param>
    /// <exception cref="LabException">A folder is missing or damaged, or there are fewer than two pictures.</exception>
    public static CharacterMeasures Load(string classifier, string subject)
    {
        var pictures = RealPictures.Load(subject);
        return new CharacterMeasures(AttributeClassifier.Load(classifier, CPU), pictures);
    }

    /// <summary>Reads a picture.</summary>
    /// <param name="prompt">What it was to show.</param>
    /// <param name="image">The picture.</param>
    /// <exception cref="LabException">There is no classifier that knows the picture.</exception>
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
        ArgumentNullException.ThrowIfNull(outcome);
        return Read(result.Item.Prompt, ImageDecoder.Load(outcome.PathOf(result)));
    }

    /// <summary>The pictures of a sweep that lack something of what their prompts say, with what was read instead.</summary>
    /// <param name="outcome">The sweep.</param>
    /// <returns>None where nothing is known.</returns>
    public IReadOnlyList<(SweepResult Result, CharacterReading Reading)> Misses(SweepOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        return Known
            ? [.. outcome.Results.Select(result => (result, Reading: Read(outcome, result)))
                .Where(entry => entry.Reading.Missed.Length > 0)]
            : [];
    }

    /// <summary>Frees the classifier.</summary>
    public void Dispose()
    {
        _classifier?.Dispose();
        _real?.Dispose();
    }

    private Dictionary<string, double> Grade(string prompt, RgbImage image)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var reading = Classify(image);
        var scores = new Dictionary<string, double>(Reading(prompt, reading).Scores());
        var asked = PromptImplications.Of(prompt);
        if (asked.Count > 0)
            scores[CharacterReading.AdherenceScore] = asked.Average(
                implied => reading.LogitsOf(implied.Attribute).softmax(1)[0, implied.Class].item<float>());
        return scores;
    }

    private AttributeReading Classify(RgbImage image) => _classifier is null
        ? throw new LabException("There is no classifier for this model's pictures: the lab's own reads pictures of the miniature only.")
        : _classifier.call(PixelTensors.Stack([image]));

    private CharacterReading Reading(string prompt, AttributeReading reading)
    {
        var fidelity = reading.UnitFeatures().mm(_real!.t()).mean().item<float>();
        var classes = reading.Classes()[0];
        var read = DrawingAttributes.All.Zip(classes).ToDictionary(entry => entry.First.Name, entry => entry.First.Classes[entry.Second]);
        var asked = PromptImplications.Of(prompt)
            .ToDictionary(implied => implied.Attribute.Name, implied => implied.Attribute.Classes[implied.Class]);
        var adherence = asked.Count == 0 ? double.NaN : asked.Count(entry => read[entry.Key] == entry.Value) / (double)asked.Count;
        return new CharacterReading(fidelity, reading.Identity.item<float>() > 0, adherence, asked, read);
    }

    private sealed class Grading(CharacterMeasures measures) : IPictureJudge
    {
        public string Name => $"{measures.Name}, graded";

        public string FidelityScore => measures.FidelityScore;

        public string AdherenceScore => measures.AdherenceScore;

        public double Ceiling => measures.Ceiling;

        public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image) => measures.Grade(prompt, image);

        public void Dispose()
        {
            // The classifier is the measures'.
        }
    }
}
