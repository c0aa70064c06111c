using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>Gathers what a kernel publishes into the outputs of notebook cells, as a Jupyter front end does.</summary>
internal sealed class OutputCollector
{
    private readonly Dictionary<int, JsonArray> _outputs = [];
    private readonly Dictionary<string, List<JsonObject>> _displays = [];
    private readonly HashSet<int> _clearNext = [];

    /// <summary>The outputs of each cell that has begun.</summary>
    public IReadOnlyDictionary<int, JsonArray> Outputs => _outputs;

    /// <summary>Begins a cell, with no outputs.</summary>
    public void Begin(int cell) => _outputs[cell] = [];

    /// <summary>Takes a message from iopub.</summary>
    /// <param name="cell">The cell that it belongs to.</param>
    /// <param name="message">The message.</param>
    public void Add(int cell, JupyterMessage message)
    {
        if (message.Type == "update_display_data")
        {
            Update(message);
            return;
        }

        if (message.Type == "clear_output")
        {
            if (message.Flag("wait", false))
                _clearNext.Add(cell);
            else
                _outputs[cell].Clear();
            return;
        }

        if (message.Type is not ("stream" or "display_data" or "execute_result" or "error"))
            return;
        if (_clearNext.Remove(cell))
            _outputs[cell].Clear();
        Append(_outputs[cell], message);
    }

    /// <summary>Adds stream text that did not come over iopub.</summary>
    public void AddText(int cell, string stream, string text)
    {
        if (text.Length > 0)
            AppendStream(_outputs[cell], stream, text);
    }

    private void Append(JsonArray outputs, JupyterMessage message)
    {
        if (message.Type == "stream")
        {
            AppendStream(outputs, message.Text("name", "stdout"), message.Text("text"));
            return;
        }

        var output = new JsonObject();
        if (message.Type == "error")
        {
            foreach (var name in new[] { "ename", "evalue", "output_type", "traceback" })
                output[name] = name == "output_type" ? message.Type : message.Content[name]?.DeepClone();
        }
        else
        {
            output["data"] = Bundle(message.Content["data"] as JsonObject);
            if (message.Type == "execute_result")
                output["execution_count"] = message.Number("execution_count", 0);
            output["metadata"] = message.Content["metadata"]?.DeepClone() ?? new JsonObject();
            if (message.Content["transient"]?["display_id"]?.ToString() is { } id)
            {
                if (!_displays.TryGetValue(id, out var shown))
                    _displays[id] = shown = [];
                shown.Add(output);
            }
            output["output_type"] = message.Type;
        }

        outputs.Add(output);
    }

    private static void AppendStream(JsonArray outputs, string name, string text)
    {
        var last = outputs.Count > 0 ? outputs[^1] as JsonObject : null;
        if (last?["output_type"]?.ToString() == "stream" && last["name"]?.ToString() == name)
        {
            var lines = last["text"]!.AsArray();
            // The last line may go on.
            var tail = lines.Count > 0 ? lines[^1]!.ToString() : "";
            if (lines.Count > 0)
                lines.RemoveAt(lines.Count - 1);
            foreach (var line in NotebookJson.Lines(tail + text).ToList())
                lines.Add(line!.ToString());
            return;
        }

        outputs.Add(new JsonObject { ["name"] = name, ["output_type"] = "stream", ["text"] = NotebookJson.Lines(text) });
    }

    private void Update(JupyterMessage message)
    {
        if (message.Content["transient"]?["display_id"]?.ToString() is not { } id || !_displays.TryGetValue(id, out var shown))
            return;
        foreach (var output in shown)
        {
            output["data"] = Bundle(message.Content["data"] as JsonObject);
            output["metadata"] = message.Content["metadata"]?.DeepClone() ?? new JsonObject();
        }
    }

    // As Jupyter writes them, so that saving the notebook there changes nothing: sorted by name, texts as lists of lines, pictures as one
    // string.
    private static JsonObject Bundle(JsonObject? data)
    {
        var bundle = new JsonObject();
        foreach (var (type, content) in (data ?? []).OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            var isPicture = type.StartsWith("image/", StringComparison.Ordinal) && type != "image/svg+xml";
            var isText = !isPicture && content is JsonValue value && value.TryGetValue<string>(out _);
            bundle[type] = isText ? NotebookJson.Lines(content!.ToString()) : content?.DeepClone();
        }

        return bundle;
    }
}
