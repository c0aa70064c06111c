using System.CommandLine;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Bench;

/// <summary>What most verbs take: where to measure, on what, and where figures are kept.</summary>
internal record BenchFlags
{
    protected const string Group = "What is measured";

    /// <summary>Where. Flag <c>--device</c>.</summary>
    [Flag(Group, "auto (CUDA where there is one), cpu, cuda or cuda:N.", Placeholder = "DEVICE")]
    public string Device { get; init; } = "auto";

    /// <summary>A tiny model instead. Flag <c>--tiny</c>.</summary>
    [Flag(Group, "A tiny model instead: shows in seconds that everything runs, also on a CPU.")]
    public bool Tiny { get; init; }

    /// <summary>A file for the figures. Flag <c>--json</c>.</summary>
    [Flag(Group, "Add every figure to this file as it is measured: a line of JSON with what it was measured on.", Placeholder = "FILE")]
    public string? Json { get; init; }

    /// <summary>A verb whose options are the flags of a record.</summary>
    /// <typeparam name="T">The record.</typeparam>
    /// <param name="name">The verb.</param>
    /// <param name="description">What it does.</param>
    /// <param name="run">Does it; gives the exit code.</param>
    public static Command Verb<T>(string name, string description, Func<T, int> run)
        where T : class
    {
        var verb = new Command(name, description);
        var flags = new FlagSet<T>();
        var options = new FlagOptions(verb, flags.All);
        verb.SetAction(result => run(flags.Build(options.Read(result))));
        return verb;
    }
}
