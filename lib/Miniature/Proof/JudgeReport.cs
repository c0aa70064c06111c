using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What the judge by encoders came to on the miniature.</summary>
/// <param name="Judge">Both encoders and the protocol.</param>
/// <param name="Ceiling">Fidelity of the real photos among themselves, by DINO.</param>
/// <param name="Stages">The model as it is, then every checkpoint.</param>
/// <param name="Overtrained">Copies by the LoRA made to copy.</param>
/// <param name="Shipped">Copies by the LoRA that ships.</param>
/// <param name="Base">The class prompt of the model as it is; its distance is 0.</param>
/// <param name="WithPrior">The class prompt after a training with prior preservation.</param>
/// <param name="WithoutPrior">The same without.</param>
/// <param name="MoreDrift">How much farther the pictures are without prior preservation than with it, of the same noise.</param>
/// <param name="MoreSubject">How much more they are like the subject, of the same noise.</param>
internal sealed record JudgeReport(
    string Judge, double Ceiling, IReadOnlyList<CheckpointScores> Stages, CopyReading Overtrained, CopyReading Shipped, DriftReading Base,
    DriftReading WithPrior, DriftReading WithoutPrior, ScoreInterval MoreDrift, ScoreInterval MoreSubject) : IProofReport
{
    /// <summary>Least rank correlation of both judges' fidelity over the checkpoints.</summary>
    public const double LeastCorrelation = 0.7;

    /// <summary>Fewest checkpoints that are compared.</summary>
    public const int FewestCheckpoints = 8;

    private IEnumerable<CheckpointScores> Checkpoints => Stages.Where(stage => stage.Step > 0);

    /// <summary>Spearman's rank correlation of both judges' fidelity over the checkpoints, without the model as it is.</summary>
    public double FidelityCorrelation => Correlation(stage => stage.Dino, stage => stage.Classifier);

    /// <summary>Every claim that does not hold, as a sentence each.</summary>
    public IReadOnlyList<string> Shortfalls()
    {
        var missed = new List<string>();
        Check(Checkpoints.Count() >= FewestCheckpoints, $"{Checkpoints.Count()} checkpoints; {FewestCheckpoints} are needed");
        Check(
            FidelityCorrelation >= LeastCorrelation, $"the rank correlation is {FidelityCorrelation:F2}; {LeastCorrelation:F2} is needed");
        Check(
            2 * Overtrained.Copies > Overtrained.Pictures,
            $"{Overtrained.Copies} of {Overtrained.Pictures} overtrained pictures are copies");
        Check(Shipped.Copies == 0, $"{Shipped.Copies} of {Shipped.Pictures} pictures of the shipped LoRA are called copies");
        Check(
            MoreDrift.IsAboveZero,
            $"drift {WithoutPrior.Distance.Mean:F3} without prior preservation, {WithPrior.Distance.Mean:F3} with it: not sure");
        Check(
            MoreSubject.IsAboveZero,
            $"PRES {WithoutPrior.Preservation.Mean:F3} without prior preservation, {WithPrior.Preservation.Mean:F3} with it: not sure");
        return missed;

        void Check(bool holds, FormattableString message)
        {
            if (!holds)
                missed.Add(message.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The report as tables in Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
        Line($"{Judge}. Real photos among themselves: {Ceiling:F3}.");
        Line($"");
        Line($"| steps | DINO | CLIP-I | CLIP-T | classifier's fidelity | classifier's adherence |");
        Line($"|---|---|---|---|---|---|");
        foreach (var s in Stages)
            Line($"| {s.Step} | {s.Dino:F3} | {s.ClipImage:F3} | {s.ClipText:F3} | {s.Classifier:F3} | {100 * s.Adherence:F0} % |");
        Line($"");
        var byClip = Correlation(stage => stage.ClipImage, stage => stage.Classifier);
        Line($"Rank correlation with the classifier over {Checkpoints.Count()} checkpoints:");
        Line($"DINO {FidelityCorrelation:F2}, CLIP-I {byClip:F2}.");
        Line($"");
        Line($"| copies | most alike of two training pictures | nearest, mean | nearest, largest | above |");
        Line($"|---|---|---|---|---|");
        foreach (var (name, copies) in new[] { ("overtrained on purpose", Overtrained), ("shipped LoRA", Shipped) })
            Line($"| {name} | {copies.Threshold:F3} | {copies.Mean:F3} | {copies.Largest:F3} | {copies.Copies} of {copies.Pictures} |");
        Line($"");
        Line($"| class prompt | drift from the model as it is | PRES |");
        Line($"|---|---|---|");
        foreach (var (name, drift) in new[]
            { ("as it is", Base), ("with prior preservation", WithPrior), ("without prior preservation", WithoutPrior) })
            Line($"| {name} | {Interval(drift.Distance)} | {Interval(drift.Preservation)} |");
        Line($"| more without than with it, of the same noise | {Interval(MoreDrift)} | {Interval(MoreSubject)} |");
        return text.ToString();
    }

    private static string Interval(ScoreInterval value) =>
        string.Create(CultureInfo.InvariantCulture, $"{value.Mean:F3} ({value.Low:F3} to {value.High:F3})");

    private double Correlation(Func<CheckpointScores, double> first, Func<CheckpointScores, double> second) =>
        RankCorrelation.Spearman([.. Checkpoints.Select(first)], [.. Checkpoints.Select(second)]);
}
