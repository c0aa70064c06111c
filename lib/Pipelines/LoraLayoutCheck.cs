namespace Dreambooth.Lab.Pipelines;

/// <summary>How a LoRA acts that was written in one layout and loaded back.</summary>
/// <param name="Layout">The layout.</param>
internal sealed record LoraLayoutCheck(string Layout)
{
    /// <summary>
    /// Largest difference of the transformer's output, relative to the output's largest value; null where it was refused.
    /// </summary>
    public double? Output { get; init; }

    /// <summary>Largest difference of a picture's value, of 255.</summary>
    public int? Pixels { get; init; }

    /// <summary>What the layout cannot express.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Why the layout does not hold the LoRA; null where it does.</summary>
    public string? Refusal { get; init; }

    /// <summary>Whether the LoRA acts as before.</summary>
    public bool IsSame => Output <= LoraVerification.Tolerance && Pixels <= 1;
}
