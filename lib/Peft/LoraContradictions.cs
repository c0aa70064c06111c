using System.Text.Json;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>Settings of a LoRA file that its tensors do not bear out, or that have no effect here.</summary>
/// <param name="values">The settings.</param>
/// <param name="prefix">What stands before a model's settings: its name and a dot, or nothing.</param>
internal sealed class LoraContradictions(JsonField values, string prefix)
{
    /// <summary>What is told of one model's layers, a sentence each.</summary>
    /// <param name="readers">What was read of them.</param>
    /// <param name="rankOf">The rank that the settings have for a layer; null where they have none.</param>
    public IEnumerable<string> Of(IReadOnlyCollection<LoraLayerReader> readers, Func<LoraLayerReader, double?> rankOf)
    {
        var ranks = readers.Where(reader => reader.Rank > 0 && rankOf(reader) is { } told && told != reader.Rank).ToList();
        if (ranks.Count > 0)
        {
            yield return FormattableString.Invariant(
                $"{values.Source}: {prefix}r or its pattern says rank {rankOf(ranks[0])} for {ranks[0].Target.Key}, whose tensors have ")
                + $"rank {ranks[0].Rank}: the tensors' counts ({ranks.Count} such {(ranks.Count == 1 ? "layer" : "layers")}).";
        }

        var dora = readers.Count(reader => reader.Parts.Variant == LoraVariant.Dora);
        if (IsTrue("use_dora") && dora == 0)
            yield return $"{values.Source}: {prefix}use_dora is true, and the file has no magnitudes: it acts as plain LoRA.";
        if (values.Find($"{prefix}use_dora") is { Element.ValueKind: JsonValueKind.False } && dora > 0)
            yield return $"{values.Source}: {prefix}use_dora is false, and the file has magnitudes: it acts as DoRA.";
        if (TypeFault(readers) is { } type)
            yield return type;
        if (IsTrue("fan_in_fan_out"))
            yield return $"{values.Source}: {prefix}fan_in_fan_out is true, which these models' layers are not; it has no effect.";
        if (values.Find($"{prefix}modules_to_save") is { Element.ValueKind: JsonValueKind.Array } saved
            && saved.Element.GetArrayLength() > 0)
            yield return $"{values.Source}: {saved.Path} names whole modules that were trained; they are not applied.";
    }

    private string? TypeFault(IReadOnlyCollection<LoraLayerReader> readers)
    {
        if (values.Find($"{prefix}peft_type") is not { IsText: true } type)
            return null;
        var types = readers.Select(reader => LoraMetadata.TypeOf(reader.Parts.Variant)).Distinct().ToList();
        return types.Exists(name => !name.Equals(type.Text(), StringComparison.OrdinalIgnoreCase))
            ? $"{values.Source}: {type.Path} is {type.Text()}, and the tensors are those of {string.Join(" and ", types)}: they count."
            : null;
    }

    private bool IsTrue(string name) => values.Find(prefix + name) is { Element.ValueKind: JsonValueKind.True };
}
