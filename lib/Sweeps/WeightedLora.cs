using System.Globalization;

namespace Dreambooth.Lab.Sweeps;

/// <summary>A LoRA to load and how strongly it counts: what <c>--lora PATH=WEIGHT</c> names.</summary>
/// <param name="Path">A safetensors file, or a folder with <c>pytorch_lora_weights.safetensors</c>.</param>
/// <param name="Weight">Factor on the adapter; 1 is as trained.</param>
public sealed record WeightedLora(string Path, double Weight = 1.0)
{
    /// <summary>
    /// Reads <c>path</c> or <c>path=weight</c>. A text after the last <c>=</c> that is no number belongs to the path, and so does one where
    /// a file or folder of the whole name exists.
    /// </summary>
    /// <param name="text">What was given.</param>
    public static WeightedLora Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        if (System.IO.Path.Exists(text))
            return new WeightedLora(text);
        var at = text.LastIndexOf('=');
        return at > 0 && double.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
            && double.IsFinite(weight)
            ? new WeightedLora(text[..at], weight)
            : new WeightedLora(text);
    }
}
