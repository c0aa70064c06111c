using System.Text;
using Dreambooth.Lab.Kernel.Engine;
using Microsoft.CodeAnalysis.CSharp;

namespace Dreambooth.Lab.Kernel.Magics;

/// <summary>Splits a cell into code and magics.</summary>
internal static class CellParts
{
    /// <summary>Magics whose text is everything up to the next language magic.</summary>
    public static readonly IReadOnlySet<string> Languages = new HashSet<string>
    {
        "markdown", "html", "javascript", "js", "value", "fsharp", "f#", "pwsh", "powershell", "sql", "kql", "mermaid", "http", "python", "r",
    };

    private static readonly string[] s_csharp = ["csharp", "c#"];

    /// <summary>Splits <paramref name="cell"/>; reference directives come first, the rest stays in order.</summary>
    /// <param name="cell">The cell's text.</param>
    /// <returns>The parts; empty for an empty cell.</returns>
    public static IReadOnlyList<CellPart> Split(string cell)
    {
        var lines = cell.ReplaceLineEndings("\n").Split('\n');
        if (!lines.Any(l => l.TrimStart().StartsWith('#')))
            return cell.Trim().Length == 0 ? [] : [new CellPart(null, "", string.Join('\n', lines), 1)];
        var insideToken = LinesInsideTokens(lines);
        var state = new Splitter();
        for (var i = 0; i < lines.Length; i++)
            state.Add(lines[i], i, !insideToken.Contains(i));
        return state.Finish();
    }

    /// <summary>The cell with magics and text under language magics blanked, so that positions stay what they are.</summary>
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
            var isMagic = !insideToken.Contains(i) && (line.StartsWith("#!", StringComparison.Ordinal) || Splitter.IsDirective(line, out _, out _));
            if (isMagic && line.StartsWith("#!", StringComparison.Ordinal))
                isText = Languages.Contains(line[2..].Split(' ')[0].Trim());
            if (isMagic || isText)
                lines[i] = new string(' ', lines[i].Length);
        }

        return string.Join('\n', lines);
    }

    // Lines that begin inside a string literal are text, whatever they look like.
    private static HashSet<int> LinesInsideTokens(string[] lines)
    {
        var root = CSharpSyntaxTree.ParseText(string.Join('\n', lines), CellCompiler.ParseOptions).GetRoot();
        var result = new HashSet<int>();
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

    private sealed class Splitter
    {
        private readonly List<CellPart> _references = [];
        private readonly List<CellPart> _parts = [];
        private readonly StringBuilder _text = new();
        private (string Name, string Arguments)? _language;
        private int _start;

        public void Add(string line, int index, bool mayBeMagic)
        {
            var trimmed = line.TrimStart();
            if (mayBeMagic && _language is null && IsDirective(trimmed, out var directive, out var argument))
            {
                // Packages and assemblies must be there before any code of the cell is compiled.
                (directive == "#load" ? FlushAndGetParts() : _references).Add(new CellPart(directive, argument, "", index + 1));
                _text.Append('\n');
                return;
            }

            if (mayBeMagic && trimmed.StartsWith("#!", StringComparison.Ordinal) && trimmed.Length > 2)
            {
                AddMagic(trimmed[2..], index);
                return;
            }

            if (_text.Length == 0 && _language is null)
                _text.Append('\n', index);
            _text.Append(line).Append('\n');
        }

        public IReadOnlyList<CellPart> Finish()
        {
            Flush();
            return [.. _references, .. _parts];
        }

        private void AddMagic(string magic, int index)
        {
            var space = magic.IndexOfAny([' ', '\t']);
            var name = (space < 0 ? magic : magic[..space]).Trim();
            var arguments = space < 0 ? "" : magic[space..].Trim();
            if (_language is not null && !Languages.Contains(name) && !s_csharp.Contains(name))
            {
                _text.Append("#!").Append(magic).Append('\n');
                return;
            }

            Flush();
            _start = index + 1;
            // A value that comes from a file has no text under it.
            var hasText = Languages.Contains(name) && !(name == "value" && arguments.Contains("--from-file", StringComparison.Ordinal));
            _language = hasText ? (name, arguments) : null;
            if (_language is null && !s_csharp.Contains(name))
                _parts.Add(new CellPart(name, arguments, "", index + 1));
        }

        private List<CellPart> FlushAndGetParts()
        {
            Flush();
            return _parts;
        }

        private void Flush()
        {
            var text = _text.ToString();
            _text.Clear();
            if (_language is { } language)
                _parts.Add(new CellPart(language.Name, language.Arguments, text.Trim('\n'), _start));
            else if (text.Trim().Length > 0)
                _parts.Add(new CellPart(null, "", text.TrimEnd('\n'), 1));
        }

        public static bool IsDirective(string line, out string name, out string argument)
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
}
