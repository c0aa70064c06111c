namespace Dreambooth.Lab.Foundation;

/// <summary>
/// Makes a property of a config record an option of the command line and a key of a recipe file. The name of both is the
/// property's name in snake case (<c>LrWarmupSteps</c> is <c>--lr_warmup_steps</c>).
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FlagAttribute : Attribute
{
    /// <summary>Declares the option.</summary>
    /// <param name="group">The heading under which <c>--help</c> lists it.</param>
    /// <param name="help">One sentence for <c>--help</c>; default, range and choices are added to it.</param>
    public FlagAttribute(string group, string help)
    {
        Group = group;
        Help = help;
    }

    /// <summary>The heading under which <c>--help</c> lists the option.</summary>
    public string Group { get; }

    /// <summary>One sentence for <c>--help</c>.</summary>
    public string Help { get; }

    /// <summary>The name where it is not the property's in snake case; null: it is.</summary>
    public string? Name { get; init; }

    /// <summary>Other names of the option, in snake case without dashes.</summary>
    public string[] Aliases { get; init; } = [];

    /// <summary>What stands for the value in <c>--help</c>; null takes one from the type.</summary>
    public string? Placeholder { get; init; }

    /// <summary>What <c>--help</c> says of the default where the property's own default is null.</summary>
    public string? DefaultText { get; init; }

    /// <summary>The valid values of a text option, compared without regard to case; empty: any.</summary>
    public string[] Choices { get; init; } = [];

    /// <summary>The smallest valid number, itself valid unless <see cref="OpenMinimum"/>.</summary>
    public double Minimum { get; init; } = double.NegativeInfinity;

    /// <summary>The largest valid number, itself valid unless <see cref="OpenMaximum"/>.</summary>
    public double Maximum { get; init; } = double.PositiveInfinity;

    /// <summary>True when <see cref="Minimum"/> itself is not valid.</summary>
    public bool OpenMinimum { get; init; }

    /// <summary>True when <see cref="Maximum"/> itself is not valid.</summary>
    public bool OpenMaximum { get; init; }

    /// <summary>A valid number is a multiple of this; 0: any.</summary>
    public int MultipleOf { get; init; }
}
