using System.Buffers;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>Checks names that come from a server before they become parts of paths here.</summary>
internal static partial class SafePath
{
    /// <summary>The longest path of a file that is taken, in UTF-16 units.</summary>
    public const int MostLength = 1024;

    private static readonly SearchValues<char> Refused = SearchValues.Create("\\:*?\"<>|");

    /// <summary>Whether a path with slashes stays inside its base folder, on every system.</summary>
    public static bool IsInside(string path) =>
        path.Length is > 0 and <= MostLength && path.Split('/').All(IsName);

    /// <summary>Whether a text is a commit: 40 lower-case hex digits.</summary>
    public static bool IsCommit(string? text) => text is { Length: 40 } && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Whether a text names content: a SHA-256 or a git object name.</summary>
    public static bool IsETag(string? text) => text is { Length: 40 or 64 } && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Throws where a server's file name would point outside the cache.</summary>
    public static string CheckFile(RepoId repo, string path) => IsInside(path)
        ? path
        : throw new HubException(
            HubErrorKind.Unsafe,
            $"{repo} lists a file with a name that would leave the cache folder, or is none on every system: '{Show(path)}'. Nothing was "
            + "downloaded; do not use this repository.");

    /// <summary>A text of a server as it can be shown: one line, not long, nothing that acts on a terminal.</summary>
    public static string Show(string text) => ShownText.Line(text, 300).Trim();

    // Windows opens devices under these names, whatever follows the first point.
    [GeneratedRegex(
        @"^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])\s*(?:\.|$)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Device { get; }

    private static bool IsName(string name) =>
        name.Length > 0 && name is not ("." or "..") && !name.AsSpan().ContainsAny(Refused) && !name.Any(ShownText.IsUnshown)
            && !Device.IsMatch(name) && name[^1] is not ('.' or ' ') && name[0] != ' ';
}
