namespace Dreambooth.Lab.Peft;

/// <summary>How a LoRA file fitted the models.</summary>
/// <param name="FileTensors">All tensors in the file.</param>
/// <param name="MatchedTensors">How many of them are used: matrices, and alphas of their layers.</param>
/// <param name="LayersPerComponent">Adapted layers by model prefix.</param>
/// <param name="UnmatchedKeys">Keys of the file that are not used.</param>
public sealed record LoraLoadReport(
    int FileTensors,
    int MatchedTensors,
    IReadOnlyDictionary<string, int> LayersPerComponent,
    IReadOnlyList<string> UnmatchedKeys)
{
    /// <summary>Warnings: tensors and metadata of the file that have no effect. One sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Whose names the file uses; those of the first layer where it mixes them.</summary>
    public LoraFileLayout Layout { get; init; }

    /// <summary>One line for a person.</summary>
    public override string ToString() =>
        $"{MatchedTensors} of {FileTensors} tensors matched "
        + $"({string.Join(", ", LayersPerComponent.Select(entry => $"{entry.Key}: {entry.Value} layers"))})"
        + (UnmatchedKeys.Count == 0 ? string.Empty : $"; not used: {string.Join(", ", UnmatchedKeys.Take(6))}")
        + (UnmatchedKeys.Count > 6 ? ", …" : string.Empty);
}
