namespace Dreambooth.Lab.Display;

/// <summary>One setting of a <see cref="ConfigTable"/>.</summary>
/// <param name="Group">The heading it stands under; empty for none.</param>
/// <param name="Name">Its name; of an option the flag's.</param>
/// <param name="Value">Its value.</param>
/// <param name="Default">The value it is compared with.</param>
/// <param name="Help">What it means, shown on hover; empty for none.</param>
public sealed record ConfigRow(string Group, string Name, string Value, string Default, string Help)
{
    /// <summary>Whether the value differs from the default.</summary>
    public bool IsChanged => Value != Default;
}
