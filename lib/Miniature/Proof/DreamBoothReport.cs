using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What DreamBooth on the miniature came to.</summary>
/// <param name="Seconds">Seconds of the training, class pictures and saving included; 0 where a LoRA was given.</param>
/// <param name="Threads">Processor threads that computed.</param>
/// <param name="Ceiling">The real pictures of the character.</param>
/// <param name="Before">The model as it is.</param>
/// <param name="After">With the LoRA.</param>
/// <param name="WithoutPrior">With a LoRA trained without prior preservation; null where it was not asked for.</param>
internal sealed record DreamBoothReport(
    double Seconds, int Threads, DreamBoothCeiling Ceiling, DreamBoothReading Before, DreamBoothReading After,
    DreamBoothReading? WithoutPrior) : IProofReport
{
    /// <summary>Most seconds of a training on two processor cores.</summary>
    public const double MostSeconds = 240;

    /// <summary>Least part of the distance from before to the ceiling that fidelity closes.</summary>
    public const double LeastClosed = 0.60;

    /// <summary>Largest part of pictures before, and of pictures without the identifier, that may show the character.</summary>
    public const double MostMistaken = 0.10;

    /// <summary>Least part of pictures with the identifier that show the character.</summary>
    public const double LeastIdentity = 0.70;

    /// <summary>Most that the adherence of a family may fall.</summary>
    public const double MostFall = 0.10;

    private const double Rounding = 1e-9;

    /// <summary>Part of the distance from before to the ceiling that fidelity closed.</summary>
    public double Closed => (After.Fidelity - Before.Fidelity) / (Ceiling.Fidelity - Before.Fidelity);

    /// <summary>Every threshold that is missed, as a sentence each; empty when all are met. The time counts on two threads only.</summary>
    public IReadOnlyList<string> Shortfalls()
    {
        var missed = new List<string>();
        Check(Closed >= LeastClosed, $"fidelity closes {Closed:P0} of the distance to the ceiling; {LeastClosed:P0} is needed");
        Check(
            Before.Identity <= MostMistaken,
            $"{Before.Identity:P0} of pictures before show the character; at most {MostMistaken:P0} is right");
        Check(After.Identity >= LeastIdentity, $"{After.Identity:P0} of pictures show the character; {LeastIdentity:P0} is needed");
        Check(
            After.ClassIdentity <= MostMistaken,
            $"{After.ClassIdentity:P0} of pictures without the identifier show the character; at most {MostMistaken:P0} is right");
        foreach (var (family, before) in Before.Adherence)
            Check(
                before - After.Adherence[family] <= MostFall + Rounding,
                $"adherence of {family} falls from {before:P0} to {After.Adherence[family]:P0}; at most {MostFall:P0} is right");
        Check(Threads > 2 || Seconds <= MostSeconds, $"the training took {Seconds:F0} s; at most {MostSeconds:F0} s is right");
        return missed;

        void Check(bool holds, FormattableString message)
        {
            if (!holds)
                missed.Add(message.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>The report as a table in Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"Training: {Seconds:F0} s on {Threads} threads, class pictures included. Fidelity closes {100 * Closed:F0} % of the distance "
            + $"from before to the ceiling of {Ceiling.Fidelity:F3}.");
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"The probe says \"this cat\" of {100 * Ceiling.Identity:F0} % of the real pictures, and of {100 * Ceiling.DecodedIdentity:F0} "
            + $"% of them after the autoencoder (fidelity {Ceiling.DecodedFidelity:F3}).");
        text.AppendLine().AppendLine("| | before | after | needed | prior preservation off | painted |")
            .AppendLine("|---|---|---|---|---|---|");
        Row(
            "fidelity (cosine to the real pictures)", reading => Number(reading.Fidelity),
            Number(Before.Fidelity + (LeastClosed * (Ceiling.Fidelity - Before.Fidelity))), Number(Ceiling.Fidelity));
        Row(
            "\"this cat\", with the identifier", reading => Percent(reading.Identity),
            $"≤ {Percent(MostMistaken)} before, ≥ {Percent(LeastIdentity)} after", Percent(Ceiling.Identity));
        Row("\"this cat\", without the identifier", reading => Percent(reading.ClassIdentity), $"≤ {Percent(MostMistaken)}", "–");
        foreach (var family in Before.Adherence.Keys)
            Row(
                $"adherence, {family}", reading => Percent(reading.Adherence[family]),
                $"≥ {Percent(Before.Adherence[family] - MostFall)}", Percent(Ceiling.FamilyAdherence[family]));
        foreach (var family in Before.FamilyIdentity.Keys)
            Row(
                $"\"this cat\", {family}", reading => Percent(reading.FamilyIdentity[family]), "–",
                Percent(Ceiling.FamilyIdentity[family]));
        return text.ToString();

        void Row(string name, Func<DreamBoothReading, string> value, string needed, string painted) =>
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {name} | {value(Before)} | {value(After)} | {needed} | {(WithoutPrior is null ? "–" : value(WithoutPrior))} "
                + $"| {painted} |");
    }

    private static string Number(double value) => value.ToString("F3", CultureInfo.InvariantCulture);

    private static string Percent(double value) => string.Create(CultureInfo.InvariantCulture, $"{100 * value:F0} %");
}
