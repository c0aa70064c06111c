using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Display;
using Microsoft.AspNetCore.Html;
using Microsoft.DotNet.Interactive.Formatting;

namespace Dreambooth.Lab.Kernel.Magics;

/// <summary>The magics that C# notebooks of .NET Interactive use.</summary>
/// <param name="session">The session that they act on.</param>
internal sealed class MagicCommands(CellSession session)
{
    private static readonly (string Name, string Help)[] s_list =
    [
        ("#!about", "shows what this kernel is"),
        ("#!csharp, #!c#", "the following lines are C#"),
        ("#!html", "shows the following lines as HTML"),
        ("#!import FILE", "runs the C# of a notebook (.ipynb, .dib) or a file (.cs, .csx)"),
        ("#!javascript, #!js", "runs the following lines in the page that shows the notebook"),
        ("#!lsmagic", "lists the magics"),
        ("#!markdown", "shows the following lines as Markdown"),
        ("#!set --name N --value V", "sets a variable; V is text or @csharp:VARIABLE or @value:NAME"),
        ("#!share --from K NAME [--as N]", "takes a variable from the value store or from C#"),
        ("#!time", "measures the cell"),
        ("#!value --name N [--from-file F]", "keeps the following lines as a value"),
        ("#!who, #!whos", "lists variables, with #!whos also types and values"),
        ("#r \"nuget: ID, VERSION\"", "references a package"),
        ("#r \"PATH\"", "references an assembly"),
        ("#i \"nuget: SOURCE\"", "adds a package source"),
        ("#load \"FILE\"", "runs a C# file"),
    ];

    /// <summary>Every magic and directive, for completion.</summary>
    public static IEnumerable<string> Names => s_list.SelectMany(m => m.Name.Split(", ")).Select(n => n.Split(' ')[0]).Distinct();

    private readonly Dictionary<string, string> _values = [];
    private readonly NuGetReferences _packages = new(session.Engine.References);
    private Stopwatch? _time;

    /// <summary>Runs a magic.</summary>
    /// <param name="part">The magic.</param>
    /// <param name="cell">The cell that holds it.</param>
    /// <returns>What it shows, or null.</returns>
    /// <exception cref="KernelException">The magic is unknown or its arguments are wrong.</exception>
    public JsonObject? Run(CellPart part, CellRequest cell)
    {
        switch (part.Magic)
        {
            case "time":
                _time = Stopwatch.StartNew();
                return null;
            case "who" or "whos":
                return Variables(part.Magic == "whos");
            case "lsmagic":
                return MimeBundle.Literal(PlainTextFormatter.MimeType, string.Join('\n', s_list.Select(m => $"{m.Name,-34}{m.Help}")));
            case "about":
                return MimeBundle.Literal(PlainTextFormatter.MimeType, About());
            case "markdown":
                return MimeBundle.Literal("text/markdown", part.Text);
            case "html":
                return MimeBundle.Literal(HtmlFormatter.MimeType, part.Text);
            case "javascript" or "js":
                return MimeBundle.Of(new HtmlString($"<script type=\"text/javascript\">{part.Text}</script>"), HtmlFormatter.MimeType);
            case "value" or "set" or "share":
                Values(part, cell);
                return null;
            case "import" or "#load":
                return Import(part, cell);
            case "#r" or "#i":
                return Reference(part, cell);
            default:
                throw new KernelException(
                    $"Line {part.Line}: the magic '#!{part.Magic}' is not known to this kernel, which runs C# only; #!lsmagic lists what it knows.");
        }
    }

    /// <summary>Shows what magics measured over the whole cell.</summary>
    public void FinishCell(CellRequest cell)
    {
        if (_time is null)
            return;
        var text = string.Create(CultureInfo.InvariantCulture, $"Wall time: {_time.Elapsed.TotalMilliseconds:0.####}ms");
        _time = null;
        cell.Host.Display(MimeBundle.Literal(PlainTextFormatter.MimeType, text), null, update: false);
    }

    private JsonObject Variables(bool withTypes)
    {
        var variables = session.Engine.Variables;
        if (!withTypes)
            return MimeBundle.Literal(PlainTextFormatter.MimeType, string.Join('\n', variables.Select(v => v.Name)));
        var html = new StringBuilder("<table><thead><tr><th>Variable</th><th>Type</th><th>Value</th></tr></thead><tbody>");
        var plain = new StringBuilder();
        foreach (var (name, type, value) in variables)
        {
            var text = value?.ToString() ?? "<null>";
            text = text.Length > 200 ? text[..200] + "…" : text;
            var cells = string.Concat(new[] { name, TypeText.Of(type), text }.Select(c => $"<td>{WebUtility.HtmlEncode(c)}</td>"));
            html.Append("<tr>").Append(cells).Append("</tr>");
            plain.Append(CultureInfo.InvariantCulture, $"{name}\t{TypeText.Of(type)}\t{text}\n");
        }

        return new JsonObject { ["text/html"] = html.Append("</tbody></table>").ToString(), ["text/plain"] = plain.ToString() };
    }

    private string About() => string.Create(
        CultureInfo.InvariantCulture,
        $"{session.Options.Name} {session.Options.Version}, C# on .NET {Environment.Version}, process {Environment.ProcessId}");

    private void Values(CellPart part, CellRequest cell)
    {
        var arguments = MagicArguments.Parse(part);
        if (part.Magic == "value")
        {
            var file = arguments.Option("from-file");
            _values[arguments.Required("name")] = file is null ? part.Text : ReadFile(file);
            return;
        }

        var isShare = part.Magic == "share";
        var name = isShare ? arguments.Option("as") ?? arguments.Positional : arguments.Required("name");
        var source = isShare ? $"@{arguments.Required("from")}:{arguments.Positional}" : arguments.Required("value");
        if (source.StartsWith("@input:", StringComparison.Ordinal) || source.StartsWith("@password:", StringComparison.Ordinal))
            source = cell.Host.ReadLine(source[(source.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim('"'), source[1] == 'p');
        else if (source.StartsWith("@csharp:", StringComparison.Ordinal))
        {
            if (source["@csharp:".Length..] != name)
                session.RunCode($"var {name} = {source["@csharp:".Length..]};", cell, "magic");
            return;
        }
        else if (source.StartsWith("@value:", StringComparison.Ordinal) || source.StartsWith('@'))
            source = Stored(source[(source.IndexOf(':', StringComparison.Ordinal) + 1)..], part);

        session.RunCode($"var {name} = {Microsoft.CodeAnalysis.CSharp.SymbolDisplay.FormatLiteral(source, quote: true)};", cell, "magic");
    }

    private string Stored(string name, CellPart part) =>
        _values.TryGetValue(name, out var value)
            ? value
            : throw new KernelException($"Line {part.Line}: there is no value '{name}'; values are kept with #!value --name {name}.");

    private JsonObject? Import(CellPart part, CellRequest cell)
    {
        var path = part.Arguments.Trim('"');
        JsonObject? result = null;
        foreach (var (name, code) in ImportedFile.CellsOf(path))
        {
            foreach (var inner in CellParts.Split(code))
            {
                var shown = inner.Magic is null ? session.RunCode(inner.Text, cell, name) : Run(inner, cell);
                if (result is not null)
                    cell.Host.Display(result, null, update: false);
                result = shown;
            }
        }

        return result;
    }

    private JsonObject? Reference(CellPart part, CellRequest cell)
    {
        var argument = part.Arguments;
        if (argument.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase))
        {
            var text = argument["nuget:".Length..].Trim();
            if (part.Magic == "#i")
            {
                _packages.AddSource(text);
                return null;
            }

            var notes = _packages.Add(text);
            return notes.Length > 0 ? MimeBundle.Literal(PlainTextFormatter.MimeType, notes) : null;
        }

        if (part.Magic == "#i")
            throw new KernelException($"Line {part.Line}: #i takes \"nuget: SOURCE\".");
        if (session.Engine.References.Add(Path.GetFullPath(argument)) is { } note)
            cell.Host.Stream("stderr", note + "\n");
        return null;
    }

    private static string ReadFile(string path) =>
        File.Exists(path) ? File.ReadAllText(path) : throw new KernelException($"There is no file '{path}'.");
}
