using System.Globalization;
using Xunit.Abstractions;

namespace Dreambooth.Lab.Tests.Running;

/// <summary>Which tests run.</summary>
/// <param name="Trait">A trait that they must have, or null.</param>
/// <param name="Classes">Parts of full class names, one of which must occur; empty for all.</param>
/// <param name="Seconds">After so long no further test begins; null for no limit.</param>
/// <param name="OnlyList">Whether they are listed only.</param>
internal sealed record TestSelection((string Name, string Value)? Trait, IReadOnlyList<string> Classes, int? Seconds, bool OnlyList)
{
    /// <summary>Reads a command line; null when it is wrong.</summary>
    public static TestSelection? Parse(IReadOnlyList<string> args)
    {
        var result = new TestSelection(null, [], null, false);
        for (var i = 0; i < args.Count; i++)
        {
            switch (args[i])
            {
                case "--trait" when i + 1 < args.Count && args[i + 1].Split('=') is [var name, var value]:
                    result = result with { Trait = (name, value) };
                    i++;
                    break;
                case "--class":
                    var classes = args.Skip(i + 1).TakeWhile(arg => !arg.StartsWith("--", StringComparison.Ordinal)).ToList();
                    result = result with { Classes = classes };
                    i += classes.Count;
                    break;
                case "--seconds" when i + 1 < args.Count && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out var seconds):
                    result = result with { Seconds = seconds };
                    i++;
                    break;
                case "--list":
                    result = result with { OnlyList = true };
                    break;
                default:
                    return null;
            }
        }

        return result;
    }

    /// <summary>Whether a class may hold tests that run.</summary>
    public bool Has(Type type) => Classes.Count == 0 || Classes.Any(part => type.FullName!.Contains(part, StringComparison.Ordinal));

    /// <summary>Whether a test runs.</summary>
    public bool Has(ITestCase test) => Trait is not var (name, value) || (test.Traits.TryGetValue(name, out var values) && values.Contains(value));
}
