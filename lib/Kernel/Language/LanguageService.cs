using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Engine;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.QuickInfo;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>Completion, inspection and completeness of the cell that a user writes. One question at a time.</summary>
internal sealed class LanguageService : IDisposable
{
    private const int MaxMatches = 300;
    private const int MaxDescribed = 8;
    private readonly CellDeclarations _declarations = new();
    private readonly Lazy<CellWorkspace> _workspace;
    private readonly Func<IEnumerable<(string Name, string Help)>> _magics;

    /// <summary>Follows an engine from its first cell on.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="magics">Every magic with what it is for.</param>
    public LanguageService(CellEngine engine, Func<IEnumerable<(string Name, string Help)>> magics)
    {
        _magics = magics;
        engine.Accepted = _declarations.Add;
        _workspace = new Lazy<CellWorkspace>(() => new CellWorkspace(engine, _declarations));
    }

    /// <summary>Loads Roslyn's services, so that the first question is answered quickly.</summary>
    public void WarmUp() => Complete("System.Console.Wri", 18);

    /// <summary>The content of <c>complete_reply</c>.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">The UTF-16 position of the cursor.</param>
    public JsonObject Complete(string code, int cursor)
    {
        var line = LineBefore(code, cursor);
        if (line.TrimStart().StartsWith('#'))
        {
            var names = _magics().Where(m => m.Name.StartsWith(line.TrimStart(), StringComparison.OrdinalIgnoreCase))
                .Select(m => (m.Name, "magic", m.Help));
            return Completions(code, cursor - line.TrimStart().Length, cursor, names);
        }

        var document = _workspace.Value.Document(CellText.WithoutMagics(code));
        var service = CompletionService.GetService(document)!;
        var list = service.GetCompletionsAsync(document, cursor).GetAwaiter().GetResult();
        var typed = code[Math.Min(list.Span.Start, cursor)..cursor];
        var items = list.ItemsList.Where(i => Matches(i, typed))
            .OrderBy(i => Rank(i, typed)).ThenBy(i => i.SortText, StringComparer.Ordinal).Take(MaxMatches).ToList();
        var described = items.Select(
            (item, index) => (item.DisplayText, Kind(item), index < MaxDescribed ? Describe(service, document, item) : ""));
        return Completions(code, list.ItemsList.Count == 0 ? cursor : list.Span.Start, cursor, described);
    }

    /// <summary>The content of <c>inspect_reply</c>: what stands at the cursor, or the signatures of the call that it is in.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">The UTF-16 position of the cursor.</param>
    public JsonObject Inspect(string code, int cursor)
    {
        var document = _workspace.Value.Document(CellText.WithoutMagics(code));
        var text = SignatureText.At(document, cursor);
        if (text.Length == 0)
        {
            var service = QuickInfoService.GetService(document)!;
            var info = service.GetQuickInfoAsync(document, cursor).GetAwaiter().GetResult()
                ?? service.GetQuickInfoAsync(document, Math.Max(0, cursor - 1)).GetAwaiter().GetResult();
            text = info is null ? "" : string.Join('\n', info.Sections.Select(s => s.Text).Where(t => t.Length > 0));
        }

        var data = text.Length == 0 ? new JsonObject() : new JsonObject { ["text/plain"] = text };
        return new JsonObject { ["status"] = "ok", ["found"] = text.Length > 0, ["data"] = data, ["metadata"] = new JsonObject() };
    }

    /// <summary>The content of <c>is_complete_reply</c>.</summary>
    public static JsonObject IsComplete(string code)
    {
        var tree = CSharpSyntaxTree.ParseText(CellText.WithoutMagics(code), CellCompiler.ParseOptions);
        if (!SyntaxFactory.IsCompleteSubmission(tree))
            return new JsonObject { ["status"] = "incomplete", ["indent"] = code.TrimEnd().EndsWith('{') ? "    " : "" };
        var broken = tree.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error);
        return new JsonObject { ["status"] = broken ? "invalid" : "complete" };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_workspace.IsValueCreated)
            _workspace.Value.Dispose();
    }

    private static string LineBefore(string code, int cursor) =>
        code[(code.LastIndexOf('\n', Math.Max(0, cursor - 1), Math.Max(0, cursor)) + 1)..cursor];

    private static bool Matches(CompletionItem item, string typed) =>
        item.FilterText.Contains(typed, StringComparison.OrdinalIgnoreCase)
        || CamelHumps(item.FilterText).StartsWith(typed, StringComparison.OrdinalIgnoreCase);

    private static string CamelHumps(string text) => new([.. text.Where(char.IsUpper)]);

    private static int Rank(CompletionItem item, string typed) =>
        item.FilterText.StartsWith(typed, StringComparison.Ordinal) ? 0
        : item.FilterText.StartsWith(typed, StringComparison.OrdinalIgnoreCase) ? 1 : 2;

    private static string Kind(CompletionItem item) => item.Tags.Length == 0 ? "" : item.Tags[0] switch
    {
        "ExtensionMethod" or "Method" => "function",
        "Class" or "Structure" or "Interface" or "Enum" or "Delegate" => "class",
        "Namespace" => "module",
        "Local" or "Parameter" or "Field" or "Property" or "Constant" => "instance",
        var other => other.ToLowerInvariant(),
    };

    private static string Describe(CompletionService service, Document document, CompletionItem item) =>
        service.GetDescriptionAsync(document, item).GetAwaiter().GetResult()?.Text ?? "";

    private static JsonObject Completions(
        string code, int start, int end, IEnumerable<(string Text, string Kind, string Documentation)> items)
    {
        var (from, to) = (TextPosition.ToCharacters(code, start), TextPosition.ToCharacters(code, end));
        var found = items.DistinctBy(i => i.Text).ToList();
        var types = found.Select(i => (JsonNode)new JsonObject
        {
            ["start"] = from,
            ["end"] = to,
            ["text"] = i.Text,
            ["type"] = i.Kind,
            ["signature"] = i.Documentation.Split('\n')[0],
            ["documentation"] = i.Documentation,
        });
        return new JsonObject
        {
            ["status"] = "ok",
            ["matches"] = new JsonArray([.. found.Select(i => JsonValue.Create(i.Text))]),
            ["cursor_start"] = from,
            ["cursor_end"] = to,
            ["metadata"] = new JsonObject { ["_jupyter_types_experimental"] = new JsonArray([.. types]) },
        };
    }
}
