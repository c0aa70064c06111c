using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Engine;
using Microsoft.CodeAnalysis.CSharp;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>Completion, inspection and completeness of the cell that a user writes.</summary>
/// <param name="engine">The engine whose cells it knows.</param>
internal sealed class LanguageService(CellEngine engine)
{
    /// <summary>The content of <c>complete_reply</c>.</summary>
    public JsonObject Complete(string code, int cursor) => engine is null ? [] : new()
    {
        ["status"] = "ok", ["matches"] = new JsonArray(), ["cursor_start"] = cursor, ["cursor_end"] = cursor, ["metadata"] = new JsonObject(),
    };

    /// <summary>The content of <c>inspect_reply</c>.</summary>
    public JsonObject Inspect(string code, int cursor, int detail) => engine is null ? [] : new()
    {
        ["status"] = "ok", ["found"] = false, ["data"] = new JsonObject(), ["metadata"] = new JsonObject(),
    };

    /// <summary>The content of <c>is_complete_reply</c>.</summary>
    public JsonObject IsComplete(string code)
    {
        _ = engine;
        var tree = CSharpSyntaxTree.ParseText(code, CellCompiler.ParseOptions);
        var complete = SyntaxFactory.IsCompleteSubmission(tree);
        return complete
            ? new JsonObject { ["status"] = "complete" }
            : new JsonObject { ["status"] = "incomplete", ["indent"] = "" };
    }
}
