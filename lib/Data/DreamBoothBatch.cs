using static TorchSharp.torch;

namespace Dreambooth.Lab.Data;

/// <summary>
/// The rows of one step with their pixels: B instance rows first, then, with prior preservation, their B class rows in the same order.
/// </summary>
/// <param name="Rows">What each row is; B or 2 B of them.</param>
/// <param name="PixelValues">float32 on the CPU, [B or 2 B, 3, H, W], in [−1, 1].</param>
public sealed record DreamBoothBatch(IReadOnlyList<DreamBoothRow> Rows, Tensor PixelValues) : IDisposable
{
    /// <summary>The text of each row.</summary>
    public string[] Prompts => [.. Rows.Select(row => row.Prompt)];

    /// <summary>B, how many rows are instance pictures.</summary>
    public int InstanceCount => Rows.Count(row => !row.IsClass);

    /// <summary>How many rows are class pictures: B, or 0 without prior preservation.</summary>
    public int ClassCount => Rows.Count - InstanceCount;

    /// <summary>Frees the pixels.</summary>
    public void Dispose() => PixelValues.Dispose();
}
