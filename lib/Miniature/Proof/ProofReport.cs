using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>What the proof of the miniature came to.</summary>
/// <param name="Combinations">Combinations of kind, colour, scene, art and change that training never saw, one picture each.</param>
/// <param name="Steps">Denoising steps.</param>
/// <param name="GuidanceScale">Guidance.</param>
/// <param name="Psnr">Mean peak signal-to-noise ratio of the autoencoder on held-out painted pictures, in dB.</param>
/// <param name="Rates">The rates of all attributes.</param>
/// <param name="Guidance">Adherence by guidance.</param>
internal sealed record ProofReport(
    int Combinations, int Steps, double GuidanceScale, double Psnr, IReadOnlyList<AttributeRate> Rates,
    IReadOnlyList<GuidanceRate> Guidance) : IProofReport
{
    /// <summary>Least rates of generated pictures that the miniature ships with, by attribute; a few pictures below what it does.</summary>
    public static IReadOnlyDictionary<string, double> Thresholds { get; } = new Dictionary<string, double>
    {
        ["kind"] = 0.98,
        ["colour"] = 0.98,
        ["pattern"] = 0.94,
        ["pose"] = 0.99,
        ["accessory"] = 0.96,
        ["scene"] = 0.98,
        ["property"] = 0.98,
        ["art"] = 0.98,
    };

    /// <summary>Least PSNR of held-out painted pictures, in dB.</summary>
    public const double PsnrThreshold = 34;

    /// <summary>The rate of one attribute.</summary>
    /// <param name="attribute">Its name.</param>
    public AttributeRate RateOf(string attribute) => Rates.Single(rate => rate.Attribute == attribute);

    /// <summary>Every threshold that is missed, as a sentence each; empty when all are met.</summary>
    public IReadOnlyList<string> Shortfalls()
    {
        var missed = Thresholds.Where(entry => RateOf(entry.Key).Generated < entry.Value)
            .Select(
                entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Key} is read right in {RateOf(entry.Key).Generated:P1} of "
                    + $"pictures; {entry.Value:P0} is needed")).ToList();
        if (Psnr < PsnrThreshold)
            missed.Add(string.Create(CultureInfo.InvariantCulture, $"the autoencoder has {Psnr:F1} dB; {PsnrThreshold} is needed"));
        if (Guidance.Count > 1 && Guidance.Skip(1).All(rate => rate.Adherence <= Guidance[0].Adherence))
            missed.Add("adherence does not rise with guidance");
        return missed;
    }

    /// <summary>The report as tables in Markdown.</summary>
    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{Combinations} combinations never trained on, {Steps} steps, guidance {GuidanceScale}; "
            + $"autoencoder {Psnr:F1} dB on held-out painted pictures (needed: {PsnrThreshold}).");
        text.AppendLine().AppendLine("| attribute | generated | needed | painted | pictures |").AppendLine("|---|---|---|---|---|");
        foreach (var rate in Rates)
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {rate.Attribute} | {100 * rate.Generated:F1} % | "
                + $"{(Thresholds.TryGetValue(rate.Attribute, out var needed) ? $"{100 * needed:F0} %" : "–")} | {100 * rate.Drawn:F1} % | "
                + $"{rate.Count} |");
        if (Guidance.Count == 0)
            return text.ToString();
        text.AppendLine().AppendLine("| guidance | adherence | kind | colour | scene | rendition |")
            .AppendLine("|---|---|---|---|---|---|");
        foreach (var rate in Guidance)
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {rate.GuidanceScale} | {100 * rate.Adherence:F1} % | {100 * rate.Kind:F1} % | {100 * rate.Colour:F1} % | "
                + $"{100 * rate.Scene:F1} % | {100 * rate.Rendition:F1} % |");
        return text.ToString();
    }
}
