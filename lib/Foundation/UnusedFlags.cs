namespace Dreambooth.Lab.Foundation;

/// <summary>Flags that are accepted with one warning each and otherwise ignored, so that existing command lines and recipes work.</summary>
public sealed class UnusedFlags
{
    private readonly Dictionary<string, string> _reasons;
    private readonly HashSet<string> _switches;

    /// <summary>Declares the flags.</summary>
    /// <param name="reasons">By name (snake case, no dashes): what happens instead, as the end of a sentence.</param>
    /// <param name="switches">The names of those that stand alone, without a value.</param>
    public UnusedFlags(IReadOnlyDictionary<string, string> reasons, IEnumerable<string> switches)
    {
        ArgumentNullException.ThrowIfNull(reasons);
        ArgumentNullException.ThrowIfNull(switches);
        _reasons = new(reasons, StringComparer.Ordinal);
        _switches = new(switches, StringComparer.Ordinal);
        if (_switches.FirstOrDefault(name => !_reasons.ContainsKey(name)) is { } unknown)
            throw new ArgumentException($"The switch '{unknown}' is not among the flags.", nameof(switches));
    }

    /// <summary>The names of the flags, without dashes.</summary>
    public IReadOnlyCollection<string> Names => _reasons.Keys;

    /// <summary>True for a flag that stands alone, without a value.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public bool IsSwitch(string name) => _switches.Contains(name);

    /// <summary>The one sentence to warn with.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    public string Warning(string name) => $"{name} is accepted but not acted on: {_reasons[name]}.";

    /// <summary>Accepts a name of the list with a warning.</summary>
    /// <param name="name">The name to look up.</param>
    /// <param name="warn">Receives the warning.</param>
    /// <returns>False when the name is not in the list.</returns>
    public bool Accept(string name, Action<string>? warn)
    {
        if (!_reasons.ContainsKey(name))
            return false;
        warn?.Invoke(Warning(name));
        return true;
    }
}
