using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Kernel.Magics;

/// <summary>The words after a magic: options <c>--name value</c> and one positional word.</summary>
internal sealed partial class MagicArguments
{
    private readonly Dictionary<string, string> _options = [];
    private readonly CellPart _part;
    private string? _positional;

    private MagicArguments(CellPart part) => _part = part;

    /// <summary>The positional word.</summary>
    /// <exception cref="KernelException">There is none.</exception>
    public string Positional => _positional ?? throw new KernelException($"Line {_part.Line}: #!{_part.Magic} needs the name of a variable.");

    /// <summary>Reads the arguments of <paramref name="part"/>.</summary>
    public static MagicArguments Parse(CellPart part)
    {
        var result = new MagicArguments(part);
        var words = Word().Matches(part.Arguments).Select(m => m.Value.Trim('"')).ToList();
        for (var i = 0; i < words.Count; i++)
        {
            if (words[i].StartsWith("--", StringComparison.Ordinal) && i + 1 < words.Count)
                result._options[words[i][2..]] = words[++i];
            else
                result._positional = words[i];
        }

        return result;
    }

    /// <summary>An option, or null.</summary>
    public string? Option(string name) => _options.GetValueOrDefault(name);

    /// <summary>An option that must be there.</summary>
    /// <exception cref="KernelException">It is not.</exception>
    public string Required(string name) =>
        Option(name) ?? throw new KernelException($"Line {_part.Line}: #!{_part.Magic} needs --{name}.");

    [GeneratedRegex("""(?:[^\s"]|"[^"]*")+""")]
    private static partial Regex Word();
}
