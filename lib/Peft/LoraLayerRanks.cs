using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>The settings of single layers, to which <c>rank_pattern</c> and <c>alpha_pattern</c> may give ranks and alphas.</summary>
internal sealed class LoraLayerRanks
{
    /// <summary>The largest rank.</summary>
    public const int Largest = 65_536;

    private readonly LoraConfig _config;
    private readonly LoraPatterns _ranks;
    private readonly LoraPatterns _alphas;

    /// <summary>Reads the patterns.</summary>
    /// <param name="config">The settings of all layers.</param>
    /// <exception cref="LabException">A pattern is none, or its number is out of range.</exception>
    public LoraLayerRanks(LoraConfig config)
    {
        _config = config;
        _ranks = Read(config.RankPattern, "rank_pattern", value => double.IsInteger(value) && value is >= 1 and <= Largest,
            $"a whole number from 1 to {Largest}");
        _alphas = Read(config.AlphaPattern, "alpha_pattern", value => value > 0, "a number greater than 0");
    }

    /// <summary>The settings of a layer: without a pattern those of all; an alpha that is not set is the layer's own rank.</summary>
    /// <param name="path">The layer's path in its model.</param>
    public LoraConfig At(string path) => _config with
    {
        Rank = (int)(_ranks.Find(path) ?? _config.Rank),
        LoraAlpha = _alphas.Find(path) ?? _config.LoraAlpha,
        RankPattern = null,
        AlphaPattern = null,
    };

    /// <summary>Patterns that match none of some layers, each with its setting's name.</summary>
    /// <param name="paths">The layers' paths.</param>
    public IEnumerable<string> WithoutMatch(IReadOnlyCollection<string> paths) =>
        _ranks.WithoutMatch(paths).Select(pattern => $"rank_pattern '{pattern}'")
            .Concat(_alphas.WithoutMatch(paths).Select(pattern => $"alpha_pattern '{pattern}'"));

    private static LoraPatterns Read(string? text, string name, Func<double, bool> isValid, string valid)
    {
        var patterns = LoraPatterns.Read(text is null ? null : JsonField.Parse(text, name));
        foreach (var (key, value) in patterns.Entries.Where(entry => !isValid(entry.Value)))
            throw new LabException(FormattableString.Invariant($"{name} gives '{key}' {value}; valid is ") + $"{valid}.");
        return patterns;
    }
}
