using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Compiler errors as a reader of a notebook wants them: where, what, the line and a mark under the place.</summary>
internal static class DiagnosticText
{
    /// <summary>Formats errors of one cell.</summary>
    /// <param name="errors">The errors.</param>
    /// <param name="tree">The text that they refer to.</param>
    /// <param name="path">The cell's name.</param>
    /// <param name="hint">What would repair an error, or null.</param>
    /// <returns>A few lines for each error.</returns>
    public static string Format(IEnumerable<Diagnostic> errors, SyntaxTree tree, string path, Func<Diagnostic, string?> hint)
    {
        var lines = tree.GetText().Lines;
        var text = new StringBuilder();
        foreach (var error in errors)
        {
            var span = error.Location.GetLineSpan();
            var (line, column) = (span.StartLinePosition.Line, span.StartLinePosition.Character);
            text.Append(
                CultureInfo.InvariantCulture,
                $"{path}({line + 1},{column + 1}): error {error.Id}: {error.GetMessage(CultureInfo.InvariantCulture)}\n");
            if (error.Location.SourceTree is null || line >= lines.Count)
                continue;
            var source = lines[line].ToString();
            var end = span.EndLinePosition.Line == line ? span.EndLinePosition.Character : source.Length;
            var indent = source.Length - source.TrimStart().Length;
            text.Append("    ").Append(source.Trim()).Append('\n');
            text.Append(' ', 4 + Math.Max(0, column - indent)).Append('^', Math.Max(1, end - column)).Append('\n');
            if (hint(error) is { } repair)
                text.Append("    hint: ").Append(repair).Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
