namespace Dreambooth.Lab.Peft;

/// <summary>How a LoRA file fitted the models.</summary>
/// <param name="FileTensors">Tensors in the file that belong to an update.</param>
/// <param name="MatchedTensors">How many of them were loaded.</param>
/// <param name="LayersPerComponent">Adapted layers by model prefix.</param>
/// <param name="UnmatchedKeys">Keys of the file that no layer of the models takes.</param>
public sealed record LoraLoadReport(
    int FileTensors,
    int MatchedTensors,
    IReadOnlyDictionary<string, int> LayersPerComponent,
    IReadOnlyList<string> UnmatchedKeys)
{
    /// <summary>One line for a person.</summary>
    public override string ToString() =>
        $"{MatchedTensors} of {FileTensors} tensors matched ({string.Join(", ", LayersPerComponent.Select(entry => $"{entry.Key}: {entry.Value} layers"))})"
        + (UnmatchedKeys.Count == 0 ? string.Empty : $"; no layer takes {string.Join(", ", UnmatchedKeys.Take(6))}{(UnmatchedKeys.Count > 6 ? ", …" : string.Empty)}");
}
