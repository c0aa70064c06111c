using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// One component's tensors of a checkpoint in another layout, under the names that the model publishes. Stored tensors that the table
/// does not know keep their own name, so that a loader reports them. Weights with a <c>scale_weight</c> beside them (8-bit storage with
/// one factor a tensor) are multiplied by it.
/// </summary>
internal sealed class MappedCheckpoint : ITensorSource
{
    private const string Weight = ".weight";
    private const string ScaleOfWeight = ".scale_weight";
    private const string ScaleOfInput = ".scale_input";
    private const string ScaledMark = "scaled_fp8";

    private readonly Checkpoint _file;
    private readonly string _prefix;
    private readonly Dictionary<string, KeyRule> _rules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);

    /// <summary>Looks at the names; no tensor is read yet.</summary>
    /// <param name="file">The file, which the caller keeps open and disposes.</param>
    /// <param name="prefix">What the component's names begin with; empty for a file that holds the component alone.</param>
    /// <param name="mapping">The names without the prefix.</param>
    /// <exception cref="LabException">
    /// Two stored tensors stand for the same parameter, or one cannot be divided as the table says.
    /// </exception>
    public MappedCheckpoint(Checkpoint file, string prefix, KeyMapping mapping)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(mapping);
        (_file, _prefix) = (file, prefix);
        var fallbacks = new List<KeyRule>();
        foreach (var name in file.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(name => name[prefix.Length..]).Order(StringComparer.Ordinal))
        {
            if (IsScaling(name))
                continue;
            var found = mapping.Find(name);
            foreach (var rule in found.Count == 0 ? [new KeyRule(name, name)] : found)
            {
                if (rule.IsFallback)
                    fallbacks.Add(rule);
                else if (rule.Published is not null && !Add(rule))
                    throw new LabException(
                        $"{file.Path}: '{prefix}{_rules[rule.Published].Stored}' and '{prefix}{name}' both stand for {rule.Published}.");
            }
        }

        fallbacks.ForEach(rule => Add(rule));
    }

    /// <inheritdoc/>
    public string Path => _prefix.Length == 0 ? _file.Path : $"{_file.Path} ({_prefix}*)";

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <inheritdoc/>
    public Tensor Load(string name, Device? device = null, ScalarType? dtype = null)
    {
        if (!_rules.TryGetValue(name, out var rule))
            throw new LabException($"{Path} holds no tensor '{name}'. {NearestNames.Describe(name, _rules.Keys)}");
        using var scope = NewDisposeScope();
        var type = dtype ?? _entries[name].DType;
        var shape = _entries[name].Shape;
        if (rule.Part == KeyPart.Identity)
            return eye(shape[0], shape[0], type, device ?? CPU).MoveToOuterDisposeScope();
        var stored = LoadStored(rule.Stored);
        var part = rule.Part switch
        {
            KeyPart.FirstThird => stored.narrow(0, 0, shape[0]),
            KeyPart.SecondThird => stored.narrow(0, shape[0], shape[0]),
            KeyPart.LastThird => stored.narrow(0, 2 * shape[0], shape[0]),
            KeyPart.SwappedHalves => RowHalves.Swap(stored),
            KeyPart.Squeezed => stored.view(shape),
            _ => stored,
        };
        return part.to(type, device ?? CPU).MoveToOuterDisposeScope();
    }

    private Tensor LoadStored(string stored)
    {
        var factor = _prefix + ScaleName(stored);
        if (!stored.EndsWith(Weight, StringComparison.Ordinal) || !_file.Entries.ContainsKey(factor))
            return _file.Load(_prefix + stored);
        return _file.Load(_prefix + stored, dtype: ScalarType.Float32).mul(_file.Load(factor, dtype: ScalarType.Float32).reshape([]));
    }

    private bool Add(KeyRule rule)
    {
        if (!_rules.TryAdd(rule.Published!, rule))
            return false;
        var stored = _file.Entries[_prefix + rule.Stored];
        var parts = rule.Part switch { KeyPart.Whole or KeyPart.Squeezed or KeyPart.Identity => 1, KeyPart.SwappedHalves => 2, _ => 3 };
        if (stored.Shape.Length == 0 ? rule.Part != KeyPart.Whole : stored.Shape[0] % parts != 0)
            throw new LabException($"{_file.Path}: {stored} cannot be divided into {parts} parts, which {rule.Published} needs.");
        long[] shape = rule.Part switch
        {
            KeyPart.FirstThird or KeyPart.SecondThird or KeyPart.LastThird => [stored.Shape[0] / 3, .. stored.Shape[1..]],
            KeyPart.Squeezed => [.. stored.Shape.Reverse().SkipWhile(size => size == 1).Reverse()],
            KeyPart.Identity => [stored.Shape[0], stored.Shape[0]],
            _ => stored.Shape,
        };
        _entries.Add(rule.Published!, stored with { Name = rule.Published!, Shape = shape });
        return true;
    }

    private bool IsScaling(string name) =>
        name == ScaledMark
        || name.EndsWith(ScaleOfInput, StringComparison.Ordinal)
        || (name.EndsWith(ScaleOfWeight, StringComparison.Ordinal)
        && _file.Entries.ContainsKey(_prefix + name[..^ScaleOfWeight.Length] + Weight));

    private static string ScaleName(string weight) => weight[..^Math.Min(weight.Length, Weight.Length)] + ScaleOfWeight;
}
