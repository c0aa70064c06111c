using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Stack traces of cells, with the cell's own lines and without the frames of the engine.</summary>
internal static partial class CellTraceback
{
    private const int MostLines = 200;

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

        // Only what is shown is looked at: a recursion without end has ten thousands of frames.
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        if (lines.Length > MostLines)
        {
            var note = FormattableString.Invariant($"   … {lines.Length - MostLines} lines …");
            lines = [.. lines.Take(MostLines / 2), note, .. lines.TakeLast(MostLines / 2)];
        }

        return [.. lines.Where(line => !IsEngineFrame(line)).Select(Simplify)];
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

    [GeneratedRegex(@"^   at Cell\d+_\d+\.<<Initialize>>d__\d+\.MoveNext\(\) in (.+):line (\d+)$")]
    private static partial Regex TopLevel();

    [GeneratedRegex(@"^   at Cell\d+_\d+[.+](.+) in (.+):line (\d+)$")]
    private static partial Regex InCell();
}
