using Dreambooth.Lab.Kernel.Engine;
using Dreambooth.Lab.Kernel.Subkernels;
using Microsoft.CodeAnalysis.CSharp;

namespace Dreambooth.Lab.Kernel;

/// <summary>Lines of a cell that are no C#.</summary>
internal static class CellText
{
    // No character; stands for the # of a line that begins inside a string.
    private const char Mask = '\uFDD0';

    /// <summary>Hides lines that begin inside a string from the package's parser, which takes every line with # for a directive.</summary>
    public static string WithStringsMasked(string cell)
    {
        var lines = cell.ReplaceLineEndings("\n").Split('\n');
        foreach (var i in LinesInsideTokens(lines))
        {
            var place = lines[i].IndexOf('#', StringComparison.Ordinal);
            lines[i] = $"{lines[i][..place]}{Mask}{lines[i][(place + 1)..]}";
        }

        return string.Join('\n', lines);
    }

    /// <summary>Takes <see cref="WithStringsMasked"/> back.</summary>
    public static string Unmasked(string code) => code.Replace(Mask, '#');

    /// <summary>Takes out references to assemblies and files to load; the lines stay, empty.</summary>
    /// <returns>Each directive with its argument, and the C#.</returns>
    public static (IReadOnlyList<(string Name, string Argument)> Directives, string Code) Split(string code)
    {
        if (!code.Contains('#', StringComparison.Ordinal))
            return ([], code);
        var lines = code.Split('\n');
        var insideToken = LinesInsideTokens(lines);
        var directives = new List<(string, string)>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (insideToken.Contains(i) || !IsDirective(lines[i].TrimStart(), out var name, out var argument))
                continue;
            directives.Add((name, argument));
            lines[i] = "";
        }

        return (directives, string.Join('\n', lines));
    }

    /// <summary>The cell with magics and text in other languages blanked, so that positions stay what they are.</summary>
    public static string WithoutMagics(string cell)
    {
        if (!cell.Contains('#', StringComparison.Ordinal))
            return cell;
        var lines = cell.Split('\n');
        var insideToken = LinesInsideTokens(lines);
        var isText = false;
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].TrimStart();
            var isMagic = !insideToken.Contains(i) && (line.StartsWith("#!", StringComparison.Ordinal) || IsDirective(line, out _, out _));
            var name = isMagic && line.StartsWith("#!", StringComparison.Ordinal) ? line[2..].Split(' ')[0].Trim() : "";
            if (NotebookKernels.Names.Contains(name))
                isText = name is not ("csharp" or "c#" or "C#");
            if (isMagic || isText)
                lines[i] = new string(' ', lines[i].Length);
        }

        return string.Join('\n', lines);
    }

    // Lines that begin inside a string literal are text, whatever they look like.
    private static HashSet<int> LinesInsideTokens(string[] lines)
    {
        var result = new HashSet<int>();
        if (!lines.Any(l => l.TrimStart().StartsWith('#')))
            return result;
        var root = CSharpSyntaxTree.ParseText(string.Join('\n', lines), CellCompiler.ParseOptions).GetRoot();
        var position = 0;
        for (var i = 0; i < lines.Length; i++)
        {
            var token = lines[i].TrimStart().StartsWith('#') ? root.FindToken(position) : default;
            if (token.SpanStart < position && token.Span.End > position)
                result.Add(i);
            position += lines[i].Length + 1;
        }

        return result;
    }

    private static bool IsDirective(string line, out string name, out string argument)
    {
        foreach (var candidate in new[] { "#r", "#i", "#load" })
        {
            var rest = line.StartsWith(candidate, StringComparison.Ordinal) ? line[candidate.Length..].Trim() : "";
            if (rest.StartsWith('"') && rest.IndexOf('"', 1) is > 0 and var end)
            {
                (name, argument) = (candidate, rest[1..end]);
                return true;
            }
        }

        (name, argument) = ("", "");
        return false;
    }
}
