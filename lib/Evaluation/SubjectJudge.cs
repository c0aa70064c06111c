using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Judges pictures of any subject by DINO and CLIP, as DreamBooth's paper does (Ruiz et al. 2022, arXiv:2208.12242, section 4.2).
/// </summary>
public sealed class SubjectJudge : IPictureJudge
{
    /// <summary>Name of the mean cosine of DINO's embeddings to those of the real pictures.</summary>
    public const string DinoScore = "dino";

    /// <summary>Name of the same by CLIP.</summary>
    public const string ClipImageScore = "clip_i";

    /// <summary>Name of the cosine of CLIP's embeddings of picture and prompt.</summary>
    public const string ClipTextScore = "clip_t";

    /// <summary>Name of the cosine, by DINO, to the training picture that a picture is most similar to.</summary>
    public const string NearestScore = "nearest";

    private readonly SubjectEncoders _encoders;
    private readonly SubjectEmbeddings _real;
    private readonly CopySearch _copies;
    private readonly Dictionary<string, UnitVectors> _prompts = new(StringComparer.Ordinal);

    /// <summary>Looks at the real pictures.</summary>
    /// <param name="encoders">They are freed with this.</param>
    /// <param name="real">At least two pictures of the subject.</param>
    /// <exception cref="LabException">There are fewer.</exception>
    internal SubjectJudge(SubjectEncoders encoders, IReadOnlyList<RgbImage> real)
    {
        if (real.Count < 2)
            throw new LabException($"There are {real.Count} real pictures of the subject; at least 2 are needed to judge others by.");
        _encoders = encoders;
        _real = encoders.Encode(real);
        _copies = new CopySearch(_real.Dino);
        Ceiling = SubjectScores.Ceiling(_real.Dino).Average();
        ClipCeiling = SubjectScores.Ceiling(_real.Clip).Average();
    }

    /// <inheritdoc/>
    public string Name => _encoders.Name;

    /// <summary>What it judges by; its own.</summary>
    internal SubjectEncoders Encoders => _encoders;

    /// <inheritdoc/>
    public string FidelityScore => DinoScore;

    /// <inheritdoc/>
    public string AdherenceScore => ClipTextScore;

    /// <inheritdoc/>
    public double Ceiling { get; }

    /// <summary>The same by CLIP.</summary>
    internal double ClipCeiling { get; }

    /// <summary>The largest cosine, by DINO, of two real pictures: above it a picture counts as a copy.</summary>
    internal double? CopyThreshold => _copies.Threshold;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image)
    {
        var picture = _encoders.Encode([image]);
        if (!_prompts.TryGetValue(prompt, out var text))
            _prompts[prompt] = text = _encoders.Encode([prompt]);
        return new Dictionary<string, double>
        {
            [DinoScore] = SubjectScores.Fidelity(picture.Dino, _real.Dino)[0],
            [ClipImageScore] = SubjectScores.Fidelity(picture.Clip, _real.Clip)[0],
            [ClipTextScore] = SubjectScores.PromptFidelity(picture.Clip, text)[0],
            [NearestScore] = _copies.Find(picture.Dino)[0].Similarity,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _encoders.Dispose();
}
