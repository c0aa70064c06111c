using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// Intervals for mean scores by drawing prompts and seeds anew, both with replacement (Owen 2007, "The pigeonhole bootstrap",
/// arXiv:0712.1111): pictures of one prompt, or of one seed, are alike, so drawing single pictures would make intervals too narrow.
/// </summary>
internal static class Bootstrap
{
    private const int MostTries = 1000;

    /// <summary>The mean with its interval, the middle part of the means of all draws.</summary>
    /// <param name="samples">One a picture, at least one.</param>
    /// <param name="seed">Makes the draws.</param>
    /// <param name="draws">How many, at least 1.</param>
    /// <param name="level">The part of the draws that lies inside, between 0 and 1.</param>
    /// <exception cref="LabException">There is no picture, or two have one prompt and one seed.</exception>
    public static ScoreInterval Mean(IReadOnlyList<ScoreSample> samples, ulong seed, int draws = 2000, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(draws, 1);
        Check(samples);
        var mean = samples.Average(sample => sample.Value);
        if (samples.Count == 1)
            return new(mean, null, null, 1);
        int[] prompts = Places(samples.Select(sample => (long)sample.Prompt)), seeds = Places(samples.Select(sample => sample.Seed));
        int[] promptCounts = new int[prompts.Max() + 1], seedCounts = new int[seeds.Max() + 1];
        var means = new double[draws];
        var state = seed;
        for (var draw = 0; draw < draws; draw++)
        {
            double total = 0, weights = 0;
            for (var tries = 0; weights == 0; tries++)
            {
                if (tries == MostTries)
                    throw new LabException("Prompts and seeds hardly meet: each prompt needs pictures of the same seeds.");
                Draw(promptCounts, ref state);
                Draw(seedCounts, ref state);
                for (var i = 0; i < samples.Count; i++)
                {
                    var weight = promptCounts[prompts[i]] * seedCounts[seeds[i]];
                    weights += weight;
                    total += weight * samples[i].Value;
                }
            }

            means[draw] = total / weights;
        }

        Array.Sort(means);
        return new(mean, Quantile(means, (1 - level) / 2), Quantile(means, (1 + level) / 2), samples.Count);
    }

    /// <summary>The mean difference of two checkpoints' scores, second less first, picture by picture of one prompt and seed.</summary>
    /// <param name="first">One a picture.</param>
    /// <param name="second">One a picture, of the same prompts and seeds in any order.</param>
    /// <param name="seed">Makes the draws.</param>
    /// <param name="draws">How many, at least 1.</param>
    /// <param name="level">The part of the draws that lies inside.</param>
    /// <exception cref="LabException">The prompts and seeds are not the same.</exception>
    public static ScoreInterval Difference(
        IReadOnlyList<ScoreSample> first, IReadOnlyList<ScoreSample> second, ulong seed, int draws = 2000, double level = 0.95)
    {
        Check(first);
        Check(second);
        var values = second.ToDictionary(sample => (sample.Prompt, sample.Seed), sample => sample.Value);
        if (first.Count != second.Count || !first.All(sample => values.ContainsKey((sample.Prompt, sample.Seed))))
            throw new LabException("Two checkpoints are compared on pictures of the same prompts and seeds; these differ.");
        ScoreSample[] differences =
            [.. first.Select(sample => sample with { Value = values[(sample.Prompt, sample.Seed)] - sample.Value })];
        return Mean(differences, seed, draws, level);
    }

    private static void Check(IReadOnlyList<ScoreSample> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.Count == 0)
            throw new LabException("There are no pictures to score.");
        if (samples.GroupBy(sample => (sample.Prompt, sample.Seed)).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new LabException($"Two pictures have prompt {twice.Key.Prompt} and seed {twice.Key.Seed}.");
    }

    private static int[] Places(IEnumerable<long> keys)
    {
        var places = new Dictionary<long, int>();
        return [.. keys.Select(key => places.TryGetValue(key, out var place) ? place : places[key] = places.Count)];
    }

    // How often each place comes when as many are drawn as there are.
    private static void Draw(int[] counts, ref ulong state)
    {
        Array.Clear(counts);
        for (var i = 0; i < counts.Length; i++)
            counts[Math.BigMul(SplitMix64.Next(ref state), (ulong)counts.Length, out _)]++;
    }

    // Between the two nearest of the sorted values, in proportion.
    private static double Quantile(double[] sorted, double part)
    {
        var place = part * (sorted.Length - 1);
        var below = (int)Math.Floor(place);
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((place - below) * (sorted[above] - sorted[below]));
    }
}
