namespace Dreambooth.Lab.Foundation;

/// <summary>Finds a preset by the name that a notebook's parameter or a flag gives.</summary>
internal static class NamedPreset
{
    /// <summary>Makes the preset of a name.</summary>
    /// <typeparam name="T">What the presets are.</typeparam>
    /// <param name="name">The name, in any case; blanks around it do not count.</param>
    /// <param name="presets">All presets by their names, at least two; only the one that is asked for is made.</param>
    /// <exception cref="LabException">There is no such preset; the message lists them.</exception>
    public static T Find<T>(string? name, params (string Name, Func<T> Make)[] presets)
    {
        ArgumentNullException.ThrowIfNull(presets);
        foreach (var preset in presets)
        {
            if (preset.Name.Equals(name?.Trim(), StringComparison.OrdinalIgnoreCase))
                return preset.Make();
        }

        var names = presets.Select(preset => preset.Name).ToArray();
        var asked = ShownText.Line(name ?? string.Empty);
        throw new LabException($"There is no preset '{asked}'; valid are {string.Join(", ", names[..^1])} and {names[^1]}.");
    }
}
