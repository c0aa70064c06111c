using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Scores generated pictures of a subject: how well they show it, and how well they follow their prompts.</summary>
public interface IPictureJudge : IDisposable
{
    /// <summary>What judges, and how pictures are prepared for it; figures of different judges cannot be compared.</summary>
    string Name { get; }

    /// <summary>
    /// What scores depend on beside <see cref="Name"/>, the real pictures and the weights: it changes with them. Pictures that were scored
    /// under another one are scored again.
    /// </summary>
    string Fingerprint => Name;

    /// <summary>The name of the score of subject fidelity: a mean cosine with the real pictures, −1 to 1.</summary>
    string FidelityScore { get; }

    /// <summary>The name of the score of adherence to the prompt.</summary>
    string AdherenceScore { get; }

    /// <summary>Fidelity of the real pictures among themselves, the most that generated ones can be expected to reach.</summary>
    double Ceiling { get; }

    /// <summary>Scores a picture.</summary>
    /// <param name="prompt">What it was to show.</param>
    /// <param name="image">The picture.</param>
    /// <returns>Values by name; a score that the prompt gives no ground for is left out.</returns>
    IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image);

    /// <summary>Scores several pictures of one prompt, where that can be done in one batch.</summary>
    /// <param name="prompt">What they were to show.</param>
    /// <param name="images">The pictures.</param>
    /// <returns>What <see cref="Score(string, RgbImage)"/> gives, picture by picture.</returns>
    IReadOnlyList<IReadOnlyDictionary<string, double>> Score(string prompt, IReadOnlyList<RgbImage> images) =>
        [.. images.Select(image => Score(prompt, image))];

    /// <summary>The real picture that each picture is most similar to.</summary>
    /// <param name="images">The pictures.</param>
    /// <returns>Picture by picture, real pictures in the order of their file names; null where it cannot tell.</returns>
    IReadOnlyList<NearestTrainingPicture>? Nearest(IReadOnlyList<RgbImage> images) => null;
}
