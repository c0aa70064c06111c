using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// The measures of DreamBooth (Ruiz et al. 2022, arXiv:2208.12242, section 4.2), of embeddings. With DINO's they are called DINO, with
/// CLIP's CLIP-I and CLIP-T; cosines lie between −1 and 1.
/// </summary>
internal static class SubjectScores
{
    /// <summary>Subject fidelity (DINO, CLIP-I): the mean cosine of each generated picture with all real ones.</summary>
    /// <param name="generated">Generated pictures.</param>
    /// <param name="real">Pictures of the subject.</param>
    /// <returns>One value a generated picture; their mean is the score.</returns>
    public static double[] Fidelity(UnitVectors generated, UnitVectors real) =>
        [.. Enumerable.Range(0, generated.Count).Select(i => Enumerable.Range(0, real.Count).Average(j => generated.Cosine(i, real, j)))];

    /// <summary>Prompt fidelity (CLIP-T): the cosine of each picture with its own prompt.</summary>
    /// <param name="generated">Generated pictures.</param>
    /// <param name="prompts">Their prompts, in the same order.</param>
    /// <returns>One value a picture; their mean is the score.</returns>
    /// <exception cref="LabException">There are not as many prompts as pictures.</exception>
    public static double[] PromptFidelity(UnitVectors generated, UnitVectors prompts) => generated.Count == prompts.Count
        ? [.. Enumerable.Range(0, generated.Count).Select(i => generated.Cosine(i, prompts, i))]
        : throw new LabException($"There are {generated.Count} pictures and {prompts.Count} prompts; each picture needs its own.");

    /// <summary>The ceiling of subject fidelity: the mean cosine of each real picture with the other real ones.</summary>
    /// <param name="real">At least 2 pictures of the subject.</param>
    /// <returns>One value a picture; their mean is the score.</returns>
    /// <exception cref="LabException">There is only one picture.</exception>
    public static double[] Ceiling(UnitVectors real)
    {
        RequirePairs(real.Count);
        return WithOthers(real, [.. Enumerable.Range(0, real.Count)]);
    }

    /// <summary>The mean cosine of each of some pictures with the others of them.</summary>
    /// <param name="pictures">All pictures.</param>
    /// <param name="places">The places of at least 2.</param>
    /// <returns>One value a place.</returns>
    public static double[] WithOthers(UnitVectors pictures, IReadOnlyList<int> places) =>
        [.. places.Select(i => places.Where(j => j != i).Average(j => pictures.Cosine(i, pictures, j)))];

    /// <summary>
    /// Prior preservation (PRES): the mean cosine of pictures of the class prompt with those of the subject. High values mean that the
    /// class has become the subject.
    /// </summary>
    /// <param name="ofTheClass">Pictures generated with the class prompt.</param>
    /// <param name="real">Pictures of the subject.</param>
    /// <returns>One value a picture of the class; their mean is the score.</returns>
    public static double[] PriorPreservation(UnitVectors ofTheClass, UnitVectors real) => Fidelity(ofTheClass, real);

    /// <summary>The mean distance over all pairs of two different pictures, each counted once.</summary>
    /// <param name="count">Number of pictures, at least 2.</param>
    /// <param name="distance">Of pictures i and j, i below j, from 0.</param>
    /// <exception cref="LabException">There is only one picture.</exception>
    public static double MeanOverPairs(int count, Func<int, int, double> distance)
    {
        RequirePairs(count);
        return Enumerable.Range(0, count).SelectMany(i => Enumerable.Range(i + 1, count - i - 1).Select(j => distance(i, j))).Average();
    }

    private static void RequirePairs(int count)
    {
        if (count < 2)
            throw new LabException($"There is {count} picture; at least 2 are needed to compare them with each other.");
    }
}
