using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>The notebook's own metadata that says which kernel and language it is for.</summary>
internal static class KernelMetadata
{
    /// <summary>Adds what is missing of <c>kernelspec</c> and <c>language_info</c>; what is there stays, formatting included.</summary>
    public static void AddTo(TextEdits edits, byte[] bytes, NotebookLayout layout)
    {
        var (start, end) = layout.Metadata;
        var metadata = end > start ? JsonNode.Parse(bytes.AsSpan(start, end - start)) as JsonObject ?? [] : [];
        if (metadata.ContainsKey("kernelspec") && metadata.ContainsKey("language_info"))
            return;
        metadata.TryAdd("kernelspec", new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = ".net-csharp" });
        metadata.TryAdd("language_info", new JsonObject
        {
            ["file_extension"] = ".cs",
            ["mimetype"] = "text/x-csharp",
            ["name"] = "C#",
            ["pygments_lexer"] = "csharp",
        });
        var text = NotebookJson.Write(metadata, layout.Unit, layout.Unit);
        if (end > start)
            edits.Replace((start, end), text);
        else
            edits.Replace(
                (layout.CellsEnd, layout.CellsEnd),
                (layout.Unit < 0 ? ", " : ",\n" + new string(' ', layout.Unit)) + "\"metadata\": " + text);
    }
}
