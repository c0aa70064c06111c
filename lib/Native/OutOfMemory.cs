using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Native;

/// <summary>Recognises libtorch's out-of-memory errors, on a GPU and on the CPU, by their text.</summary>
internal static partial class OutOfMemory
{
    /// <summary>Whether an exception says that memory ran out.</summary>
    /// <param name="error">What a libtorch call threw.</param>
    public static bool Is(Exception? error) => error is ExternalException && Refusal().IsMatch(error.Message);

    /// <summary>How much was asked for, in bytes; null where the message does not say.</summary>
    /// <param name="error">What a libtorch call threw.</param>
    public static long? Requested(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var match = Amount().Match(error.Message);
        if (!match.Success)
            return null;
        var shift = match.Groups["unit"].Value switch { "KiB" => 10, "MiB" => 20, "GiB" => 30, "TiB" => 40, _ => 0 };
        return (long)(double.Parse(match.Groups["size"].ValueSpan, CultureInfo.InvariantCulture) * (1L << shift));
    }

    /// <summary>Why some work failed, in a few words: that memory was short and by how much, or the first line of the message.</summary>
    /// <param name="error">What the work threw.</param>
    public static string Reason(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (!Is(error))
            return error.Message.Split('\n')[0];
        return "out of memory" + (Requested(error) is { } bytes ? $", {ByteSize.Text(bytes)} more were asked for" : string.Empty);
    }

    [GeneratedRegex(
        "out of memory|can't allocate memory|CUBLAS_STATUS_ALLOC_FAILED", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Refusal();

    [GeneratedRegex(
        @"tried to allocate (?<size>[0-9]+(\.[0-9]+)?) (?<unit>bytes|KiB|MiB|GiB|TiB)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Amount();
}
