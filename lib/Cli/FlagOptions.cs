using System.CommandLine;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>Options of config records as a verb's options.</summary>
internal sealed class FlagOptions
{
    private const int Often = 100_000;

    private readonly Dictionary<Flag, Option<string[]>> _options = [];
    private readonly Dictionary<string, Option<string[]>> _unused = new(StringComparer.Ordinal);
    private readonly UnusedFlags? _unusedFlags;

    /// <summary>Adds the options to a verb and its help, and hidden ones for the flags that are accepted without effect.</summary>
    public FlagOptions(Command verb, IReadOnlyList<Flag> flags, UnusedFlags? unusedFlags = null)
    {
        _unusedFlags = unusedFlags;
        GroupedHelp.Describe(verb, flags);
        foreach (var flag in flags)
        {
            var aliases = flag.Aliases.Select(alias => $"--{alias}").ToArray();
            var option = Create(flag.Name, aliases, flag.IsSwitch);
            option.AllowMultipleArgumentsPerToken = flag.IsList;
            verb.Options.Add(option);
            _options.Add(flag, option);
        }

        foreach (var name in unusedFlags?.Names ?? [])
        {
            var option = Create(name, [], unusedFlags!.IsSwitch(name));
            option.Hidden = true;
            verb.Options.Add(option);
            _unused.Add(name, option);
        }
    }

    /// <summary>Reads the values that the command line gives; flags that it does not name are left out.</summary>
    /// <param name="result">The parsed command line.</param>
    /// <param name="warn">Receives one warning for each flag without effect; or null.</param>
    /// <exception cref="UsageException">Values that are none of their flags, all of them in one message.</exception>
    public Dictionary<Flag, object?> Read(ParseResult result, Action<string>? warn = null)
    {
        var values = new Dictionary<Flag, object?>();
        var errors = new List<string>();
        foreach (var (flag, option) in _options)
        {
            if (result.GetResult(option) is not { Implicit: false } given)
                continue;
            try
            {
                values.Add(flag, flag.Parse([.. given.Tokens.Select(token => token.Value)]));
            }
            catch (LabException error)
            {
                errors.Add("--" + error.Message.TrimStart('-'));
            }
        }

        if (errors.Count > 0)
            throw new UsageException(string.Join(" ", errors));
        foreach (var name in _unused.Keys.Where(name => result.GetResult(_unused[name]) is { Implicit: false }))
            _unusedFlags!.Accept(name, message => warn?.Invoke("--" + message));
        return values;
    }

    // A flag may be given several times, the last one wins: scripts append to a command line to override it.
    private static Option<string[]> Create(string name, string[] aliases, bool isSwitch) =>
        new($"--{name}", aliases) { Arity = new ArgumentArity(isSwitch ? 0 : 1, Often) };
}
