using System.CommandLine;
using System.CommandLine.Invocation;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary><c>--help</c>: a verb's flags under their headings, with default, range and choices.</summary>
internal sealed class GroupedHelp(TextWriter output, string start) : SynchronousCommandLineAction
{
    private const int Width = 110;
    private const int Indent = 6;
    private static readonly Dictionary<Command, IReadOnlyList<Flag>> FlagsByVerb = [];

    /// <summary>Says which flags a verb has, so that its help can show more than the parser knows.</summary>
    public static void Describe(Command verb, IReadOnlyList<Flag> flags) => FlagsByVerb[verb] = flags;

    /// <summary>The verbs that lead to a command, each followed by a space; empty for the root.</summary>
    public static string PathOf(Command command) => command is RootCommand ? ""
        : string.Concat(command.Parents.OfType<Command>().Select(PathOf)) + command.Name + " ";

    /// <summary>The options that a command takes: its own and those that verbs above it hand down.</summary>
    public static IEnumerable<Option> OptionsOf(Command command) =>
        command.Options.Concat(command.Parents.OfType<Command>().SelectMany(OptionsOf).Where(option => option.Recursive));

    public override int Invoke(ParseResult parseResult)
    {
        var command = parseResult.CommandResult.Command;
        WriteWrapped(command.Description ?? "", 0);
        output.WriteLine();
        var verb = command.Subcommands.Count == 0 ? "" : command.Action == this ? "VERB " : "[VERB] ";
        var arguments = string.Concat(command.Arguments.Select(argument =>
            argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}] " : $"{argument.Name} "));
        output.WriteLine($"Usage: {start} {PathOf(command)}{verb}{arguments}[--flag value | --flag=value ...]");
        foreach (var argument in command.Arguments)
        {
            output.WriteLine();
            output.WriteLine($"  {argument.Name}");
            WriteWrapped(argument.Description ?? "", Indent);
        }

        WriteVerbs(command);
        var flags = FlagsByVerb.GetValueOrDefault(command) ?? [];
        foreach (var group in flags.GroupBy(flag => flag.Group))
        {
            output.WriteLine();
            output.WriteLine($"{group.Key}:");
            foreach (var flag in group)
                WriteFlag(flag);
        }

        WriteOtherOptions(command, flags);
        return ExitCode.Success;
    }

    private void WriteVerbs(Command command)
    {
        if (command.Subcommands.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine("Verbs:");
        var width = Math.Max(10, command.Subcommands.Max(verb => verb.Name.Length)) + 2;
        foreach (var verb in command.Subcommands)
            output.WriteLine($"  {verb.Name.PadRight(width)}{verb.Description?.Split(". ")[0].TrimEnd('.')}.");
        output.WriteLine();
        output.WriteLine("VERB --help lists a verb's flags.");
    }

    private void WriteFlag(Flag flag)
    {
        var names = string.Join(", ", flag.Aliases.Prepend(flag.Name).Select(name => $"--{name}"));
        output.WriteLine($"  {names}{(flag.IsSwitch && flag.DefaultValue is false ? "" : " " + flag.Placeholder)}");
        var notes = new List<string>();
        if (flag.IsRequired)
            notes.Add("required");
        if (flag.Choices.Count > 0 && !flag.Placeholder.Contains('|', StringComparison.Ordinal))
            notes.Add($"one of {string.Join(", ", flag.Choices)}");
        if (flag.RangeText is { } range)
            notes.Add(range);
        if (flag.DefaultText is { } text)
            notes.Add($"default: {text}");
        WriteWrapped(flag.Help + (notes.Count > 0 ? $" [{string.Join("; ", notes)}]" : ""), Indent);
    }

    private void WriteOtherOptions(Command command, IReadOnlyList<Flag> flags)
    {
        var described = flags.Select(flag => $"--{flag.Name}").ToHashSet(StringComparer.Ordinal);
        output.WriteLine();
        output.WriteLine("Other:");
        foreach (var option in OptionsOf(command).Where(option => !option.Hidden && !described.Contains(option.Name)))
        {
            output.WriteLine(
                $"  {string.Join(", ", option.Aliases.Prepend(option.Name))}{(option.HelpName is { } name ? " " + name : "")}");
            WriteWrapped(option.Description ?? "", Indent);
        }

        var unused = command.Options.Where(option => option.Hidden).Select(option => option.Name).ToArray();
        if (unused.Length == 0)
            return;
        output.WriteLine();
        WriteWrapped($"Accepted with a warning, without effect: {string.Join(", ", unused)}.", 0);
    }

    private void WriteWrapped(string text, int indent)
    {
        var line = new System.Text.StringBuilder();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && indent + line.Length + 1 + word.Length > Width)
            {
                output.WriteLine(new string(' ', indent) + line);
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        if (line.Length > 0)
            output.WriteLine(new string(' ', indent) + line);
    }
}
