using System.Security.Cryptography;
using System.Text;
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
    /// <param name="real">At least two pictures of the subject; only one is in memory at a time.</param>
    /// <param name="withSurroundings">Whether they are looked at without their middle too, for <see cref="EvaluationScoring"/>.</param>
    /// <exception cref="LabException">There are fewer.</exception>
    internal SubjectJudge(SubjectEncoders encoders, IEnumerable<RgbImage> real, bool withSurroundings = false)
    {
        using var held = encoders.Hold();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(encoders.Fingerprint));
        var each = new List<SubjectEmbeddings>();
        foreach (var image in real)
        {
            hash.AppendData(image.Pixels);
            each.Add(Look(image));
        }

        Fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (each.Count < 2)
            throw new LabException($"There are {each.Count} real pictures of the subject; at least 2 are needed to judge others by.");
        _encoders = encoders;
        _real = SubjectEmbeddings.Join(each);
        _copies = new CopySearch(_real.Dino);
        Ceiling = SubjectScores.Ceiling(_real.Dino).Average();
        ClipCeiling = SubjectScores.Ceiling(_real.Clip).Average();
        SurroundingsCeiling = _real.Surroundings is { } surroundings ? SubjectScores.Ceiling(surroundings).Average() : null;

        SubjectEmbeddings Look(RgbImage image)
        {
            if (!withSurroundings)
                return encoders.Encode([image]);
            using var input = encoders.Prepare([image]);
            return encoders.Encode(input);
        }
    }

    /// <inheritdoc/>
    public string Name => _encoders.Name;

    /// <inheritdoc/>
    public string Fingerprint { get; }

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

    /// <summary>The same as <see cref="Ceiling"/> with the middle of each picture covered; null where that was not looked at.</summary>
    internal double? SurroundingsCeiling { get; }

    /// <summary>The real pictures, in the order that it has seen them.</summary>
    internal SubjectEmbeddings Real => _real;

    /// <summary>The largest cosine, by DINO, of two real pictures: above it a picture counts as a copy.</summary>
    internal double? CopyThreshold => _copies.Threshold;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image) => Score(prompt, [image])[0];

    /// <inheritdoc/>
    public IReadOnlyList<IReadOnlyDictionary<string, double>> Score(string prompt, IReadOnlyList<RgbImage> images)
    {
        if (images.Count == 0)
            return [];
        using var held = _encoders.Hold();
        var pictures = _encoders.Encode(images);
        if (!_prompts.TryGetValue(prompt, out var text))
            _prompts[prompt] = text = _encoders.Encode([prompt]);
        return [.. EmbeddingScores.Of(pictures, _real, _copies, _ => text).Select(picture => picture.Scores)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<NearestTrainingPicture>? Nearest(IReadOnlyList<RgbImage> images)
    {
        using var held = _encoders.Hold();
        return images.Count == 0 ? [] : _copies.Find(_encoders.Encode(images).Dino);
    }

    /// <inheritdoc/>
    public void Dispose() => _encoders.Dispose();
}
