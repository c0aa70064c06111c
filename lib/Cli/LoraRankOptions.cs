using System.CommandLine;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Cli;

/// <summary>The options of a verb that choose ranks.</summary>
internal sealed class LoraRankOptions
{
    private readonly Option<int?> _rank = new("--rank")
    {
        HelpName = "N",
        Description = "The largest rank of a layer, 1 or more.",
    };

    private readonly Option<double?> _energy = new("--energy")
    {
        HelpName = "X",
        Description = "The part of the squared singular values that each layer keeps, above 0 and up to 1, as 0.99: an error of 0.1.",
    };

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="verb">The verb.</param>
    public LoraRankOptions(Command verb)
    {
        verb.Options.Add(_rank);
        verb.Options.Add(_energy);
    }

    /// <summary>What was given.</summary>
    /// <param name="result">The command line.</param>
    public LoraRankChoice Of(ParseResult result) => new(result.GetValue(_rank), result.GetValue(_energy));

    /// <summary>A choice as it stands on a command line, with a space before each option.</summary>
    /// <param name="choice">The choice.</param>
    public static string Text(LoraRankChoice choice) => (choice.Rank is { } rank ? $" --rank {rank}" : string.Empty)
        + (choice.Energy is { } energy ? FormattableString.Invariant($" --energy {energy}") : string.Empty);
}
