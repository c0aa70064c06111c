using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel;

/// <summary>The cells of this session, for clients that offer earlier input again. Safe to use from several threads.</summary>
internal sealed class CellHistory
{
    private readonly Lock _lock = new();
    private readonly List<(int Line, string Code)> _cells = [];

    /// <summary>Records a cell.</summary>
    public void Add(int line, string code)
    {
        lock (_lock)
            _cells.Add((line, code));
    }

    /// <summary>The content of <c>history_reply</c>.</summary>
    public JsonObject Reply(JupyterMessage request)
    {
        List<(int Line, string Code)> cells;
        lock (_lock)
            cells = [.. _cells];
        IEnumerable<(int Line, string Code)> chosen = request.Text("hist_access_type") switch
        {
            "range" => cells.Where(c => c.Line >= request.Number("start", 0) && c.Line < request.Number("stop", int.MaxValue)),
            "search" => cells.Where(c => Matches(c.Code, request.Text("pattern", "*"))).TakeLast(request.Number("n", int.MaxValue)),
            _ => cells.TakeLast(request.Number("n", int.MaxValue)),
        };
        return new JsonObject
        {
            ["status"] = "ok",
            ["history"] = new JsonArray([.. chosen.Select(c => (JsonNode)new JsonArray(0, c.Line, c.Code))]),
        };
    }

    private static bool Matches(string code, string pattern) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, code, ignoreCase: false);
}
