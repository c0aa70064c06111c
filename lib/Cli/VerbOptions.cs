using System.CommandLine;

namespace Dreambooth.Lab.Cli;

/// <summary>Adds options to a verb; a default stands in the option's description.</summary>
internal static class VerbOptions
{
    public static Option<string?> AddText(this Command verb, string name, string placeholder, string description, string? value)
    {
        var option = new Option<string?>(name)
        {
            HelpName = placeholder,
            Description = value is null ? description : $"{description} [default: {value}]",
            DefaultValueFactory = _ => value,
        };
        verb.Options.Add(option);
        return option;
    }

    /// <summary>A number.</summary>
    public static Option<T> AddNumber<T>(this Command verb, string name, string description, T value)
        where T : struct
    {
        var option = new Option<T>(name)
        {
            HelpName = "N",
            Description = $"{description} [default: {value}]",
            DefaultValueFactory = _ => value,
        };
        verb.Options.Add(option);
        return option;
    }

    public static Option<bool> AddSwitch(this Command verb, string name, string description)
    {
        var option = new Option<bool>(name) { Description = description };
        verb.Options.Add(option);
        return option;
    }
}
