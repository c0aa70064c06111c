using System.Globalization;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>
/// Tells without executing anything whether the outputs in a notebook are those of one whole run of the code that stands in it now. A run
/// (<see cref="NotebookRunner"/>) leaves the hash of each cell's text and the number of its outputs in the cell's metadata for this.
/// </summary>
public static class NotebookCheck
{
    /// <summary>The largest file that is no finding, in bytes: 0.7 MB.</summary>
    public const long DefaultMaxBytes = 700_000;

    /// <summary>Checks a notebook.</summary>
    /// <param name="path">The .ipynb file.</param>
    /// <param name="maxBytes">The largest size that is no finding, in bytes.</param>
    /// <returns>
    /// What is wrong, in the order of the cells, each as a sentence; empty when nothing is. Cells are counted among the code cells, from 1.
    /// </returns>
    /// <exception cref="KernelException">The file is missing or is no notebook.</exception>
    public static IReadOnlyList<string> Of(string path, long maxBytes = DefaultMaxBytes)
    {
        var notebook = NotebookDocument.Load(path);
        var cells = JsonNode.Parse(notebook.ToBytes())!["cells"]!.AsArray();
        var findings = new List<string>();
        var number = 0;
        for (var i = 0; i < cells.Count; i++)
        {
            if (!notebook.Cells[i].IsCode || notebook.Cells[i].Source.Trim().Length == 0)
                continue;
            number++;
            var name = $"cell {number} ({FirstLine(notebook.Cells[i].Source)})";
            findings.AddRange(OfCell(notebook.Cells[i], cells[i]!.AsObject(), number).Select(finding => $"{name} {finding}"));
        }

        var size = new FileInfo(path).Length;
        if (size > maxBytes)
            findings.Add(string.Create(CultureInfo.InvariantCulture, $"the file has {size:N0} bytes; at most {maxBytes:N0} are allowed"));
        return findings;
    }

    private static IEnumerable<string> OfCell(NotebookCell cell, JsonObject json, int number)
    {
        var count = json["execution_count"] is JsonValue value && value.TryGetValue<int>(out var c) ? c : (int?)null;
        var outputs = json["outputs"] as JsonArray ?? [];
        if (count is null)
        {
            yield return "was not executed";
            yield break;
        }

        if (count != number)
            yield return FormattableString.Invariant(
                $"was executed as number {count}, not {number}: the notebook did not run from top to bottom");
        if (!cell.Tags.Contains("raises-exception") && outputs.Any(o => o?["output_type"]?.ToString() == "error"))
            yield return "failed";
        if (CellStamp.Read(json["metadata"] as JsonObject) is not { } stamp)
            yield return "does not say which code its outputs are from: it was not executed by the runner";
        else if (stamp.SourceHash != CellStamp.HashOf(cell.Source))
            yield return "was changed after it was executed";
        else if (stamp.Outputs != outputs.Count)
            yield return FormattableString.Invariant($"gave {stamp.Outputs} outputs when it was executed; {outputs.Count} are in the file");
    }

    private static string FirstLine(string source)
    {
        var line = source.Trim().Split('\n')[0].Trim();
        return line.Length <= 50 ? line : line[..50] + "…";
    }
}
