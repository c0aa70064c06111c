using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Stack traces of cells, with the cell's own lines and without the frames of the engine.</summary>
internal static partial class CellTraceback
{
    /// <summary>The lines shown for an exception that a cell threw.</summary>
    /// <param name="error">The exception.</param>
    /// <returns>The exception with its inner ones and their frames.</returns>
    public static IReadOnlyList<string> Format(Exception error)
    {
        string text;
        try
        {
            text = error.ToString();
        }
        catch (Exception e)
        {
            // An exception type of the user's may fail to describe itself.
            return [$"{error.GetType().FullName} (its ToString failed: {e.GetType().Name})"];
        }

        return [.. text.ReplaceLineEndings("\n").Split('\n').Where(line => !IsEngineFrame(line)).Select(Simplify)];
    }

    private static bool IsEngineFrame(string line) =>
        line.StartsWith("   at Dreambooth.Lab.Kernel.", StringComparison.Ordinal)
        || line.StartsWith("--- End of stack trace from previous location", StringComparison.Ordinal)
        || line.Contains(".<Factory>(", StringComparison.Ordinal)
        || line.StartsWith("   at System.Runtime.CompilerServices.TaskAwaiter", StringComparison.Ordinal);

    private static string Simplify(string line)
    {
        line = TopLevel().Replace(line, "   at $1: line $2");
        return InCell().Replace(line, "   at $1 in $2: line $3");
    }

    [GeneratedRegex(@"^   at Script\.<<Initialize>>d__\d+\.MoveNext\(\) in (.+):line (\d+)$")]
    private static partial Regex TopLevel();

    [GeneratedRegex(@"^   at Script[.+](.+) in (.+):line (\d+)$")]
    private static partial Regex InCell();
}
