using System.CommandLine;
using System.CommandLine.Parsing;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>Turns unrecognised arguments into one message with the nearest valid names.</summary>
internal static class UsageErrors
{
    /// <summary>Throws when the command line has unknown flags, unknown verbs, stray values or missing values.</summary>
    /// <param name="result">What the parser made of it.</param>
    /// <param name="args">The command line as given: the parser takes unknown flags for values of the flag before them.</param>
    /// <exception cref="UsageException">All errors in one message.</exception>
    public static void ThrowIfAny(ParseResult result, IReadOnlyList<string> args)
    {
        var command = result.CommandResult.Command;
        var valid = GroupedHelp.OptionsOf(command)
            .Where(option => !option.Hidden).SelectMany(option => option.Aliases.Prepend(option.Name))
            .Where(name => name.StartsWith("--", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        var hidden = command.Options.Where(option => option.Hidden).Select(option => option.Name).ToHashSet(StringComparer.Ordinal);
        var isGroup = command.Action is GroupedHelp;
        if (TakesToken(command) && result.UnmatchedTokens.Any(token => !token.StartsWith('-'))
            && !NamesNearVerb(result.UnmatchedTokens, command))
            throw new UsageException(
                "A value stands where none belongs; it is not repeated here, since it may be a token. `hub login` reads the token from "
                + $"the terminal or from standard input. {GroupedHelp.PathOf(command)}--help lists what there is.");
        List<string> errors = isGroup ? [.. Unplaced(result.UnmatchedTokens, command, isGroup)] : [.. UnknownFlags(args, valid, hidden)];
        if (errors.Count == 0)
            errors.AddRange(isGroup ? UnknownFlags(args, valid, hidden) : Unplaced(result.UnmatchedTokens, command, isGroup));
        if (errors.Count == 0)
            errors.AddRange(result.Errors.Select(Text).Concat(WithComma(result)));
        if (errors.Count > 0)
            throw new UsageException($"{string.Join(" ", errors)} {GroupedHelp.PathOf(command)}--help lists what there is.");
    }

    /// <summary>Reads or checks what the user gave: what is wrong with it is told as a usage error.</summary>
    /// <param name="read">Reads it.</param>
    /// <exception cref="UsageException">It is wrong.</exception>
    public static T In<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (LabException error)
        {
            throw new UsageException(error.Message);
        }
    }

    // The parser reads 1,5 as 15.
    private static IEnumerable<string> WithComma(ParseResult result) =>
        from given in result.CommandResult.Children.OfType<OptionResult>()
        where KindOf(given) == TypeCode.Double && given.Tokens is [{ Value: var value }] && value.Contains(',', StringComparison.Ordinal)
        select Text(given) ?? string.Empty;

    // The parser names a number's .NET type where it cannot read one.
    private static string Text(ParseError error) =>
        error.SymbolResult is OptionResult { Tokens.Count: 1 } given && Text(given) is { } text ? text : error.Message;

    private static TypeCode KindOf(OptionResult given) =>
        Type.GetTypeCode(Nullable.GetUnderlyingType(given.Option.ValueType) ?? given.Option.ValueType);

    private static string? Text(OptionResult given)
    {
        var valid = KindOf(given) switch
        {
            TypeCode.Int32 => $"a whole number, at most {int.MaxValue}",
            TypeCode.Int64 => $"a whole number, at most {long.MaxValue}",
            TypeCode.Double => "a number, with a point for fractions",
            _ => null,
        };
        return valid is null ? null : $"{given.Option.Name} is '{ShownText.Line(given.Tokens[0].Value)}'; valid is {valid}.";
    }

    private static bool TakesToken(Command command) => GroupedHelp.PathOf(command).Split(' ').Contains("hub");

    // A misspelt verb is shorter than any token.
    private static bool NamesNearVerb(IReadOnlyList<string> tokens, Command command) =>
        command.Subcommands.Count > 0 && tokens[0].Length <= 12 && !tokens[0].StartsWith("hf_", StringComparison.Ordinal);

    private static IEnumerable<string> UnknownFlags(IReadOnlyList<string> args, HashSet<string> valid, HashSet<string> hidden)
    {
        foreach (var arg in args)
        {
            if (arg.Length < 3 || !arg.StartsWith("--", StringComparison.Ordinal) || !char.IsAsciiLetter(arg[2]))
                continue;
            var name = arg.Split('=', ':')[0];
            if (!name.Contains(' ', StringComparison.Ordinal) && !valid.Contains(name) && !hidden.Contains(name))
                yield return $"There is no flag {ShownText.Line(name)}; nearest are "
                    + $"{string.Join(", ", NearestNames.Of(ShownText.Line(name), valid))}.";
        }
    }

    private static IEnumerable<string> Unplaced(IReadOnlyList<string> tokens, Command command, bool isGroup)
    {
        var verbs = command.Subcommands.Select(verb => verb.Name).ToArray();
        var orVerb = verbs.Length > 0 ? $" and is no verb ({string.Join(", ", verbs)})" : string.Empty;
        return isGroup
            ? tokens.Where(token => !token.StartsWith('-')).Take(1).Select(token => ShownText.Line(token))
                .Select(token => $"There is no verb '{token}'; valid are {string.Join(", ", NearestNames.Of(token, verbs, verbs.Length))}.")
            : tokens.Select(token => $"'{ShownText.Line(token)}' belongs to no flag{orVerb}; a value with spaces needs quotation marks.");
    }
}
