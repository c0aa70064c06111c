using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>A LoRA to load and its weight: what <c>--lora PATH=WEIGHT</c> names.</summary>
/// <param name="Path">A safetensors file, or a folder with <c>pytorch_lora_weights.safetensors</c>.</param>
/// <param name="Weight">Factor on the adapter; 1 is as trained.</param>
public sealed record WeightedLora(string Path, double Weight = 1.0)
{
    /// <summary>
    /// Reads <c>path</c> or <c>path=weight</c>. A text after the last <c>=</c> belongs to the path if it is not a number, or if a file or
    /// folder of the whole name exists.
    /// </summary>
    /// <param name="text">What was given.</param>
    /// <exception cref="UsageException">
    /// What stands before the last <c>=</c> exists, and what follows is no weight, or beyond float32.
    /// </exception>
    public static WeightedLora Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        if (System.IO.Path.Exists(text))
            return new WeightedLora(text);
        var at = text.LastIndexOf('=');
        if (at > 0 && System.IO.Path.Exists(text[..at]) && !IsWeight(text[(at + 1)..]))
        {
            throw new UsageException(
                $"lora has the weight '{ShownText.Line(text[(at + 1)..], 40)}' for {text[..at]}; valid is a finite number such as 0.8.");
        }

        return at > 0 && IsWeight(text[(at + 1)..])
            ? new WeightedLora(text[..at], double.Parse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture))
            : new WeightedLora(text);
    }

    private static bool IsWeight(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
            && float.IsFinite((float)weight);
}
