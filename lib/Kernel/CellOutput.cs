using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;
using Dreambooth.Lab.Kernel.Streams;

namespace Dreambooth.Lab.Kernel;

/// <summary>Sends the output of one cell to the client that asked for it, and asks it for input.</summary>
/// <param name="request">The execute request.</param>
/// <param name="iopub">The publisher.</param>
/// <param name="input">Asks the client for input; blocks.</param>
internal sealed class CellOutput(JupyterMessage request, IopubPublisher iopub, Func<JupyterMessage, string, bool, string> input) : ICellHost
{
    private readonly bool _silent = request.Flag("silent", false);

    /// <inheritdoc/>
    public void Stream(string name, string text)
    {
        if (!_silent)
            iopub.Stream(request, name, text);
    }

    /// <inheritdoc/>
    public void Display(JsonObject data, string? displayId, bool update)
    {
        if (_silent)
            return;
        var content = new JsonObject { ["data"] = data, ["metadata"] = new JsonObject(), ["transient"] = new JsonObject() };
        if (displayId is not null)
            content["transient"]!["display_id"] = displayId;
        iopub.Publish(request, update ? "update_display_data" : "display_data", content);
    }

    /// <inheritdoc/>
    public void Clear(bool wait)
    {
        if (!_silent)
            iopub.Publish(request, "clear_output", new JsonObject { ["wait"] = wait });
    }

    /// <inheritdoc/>
    public string ReadLine(string prompt, bool password)
    {
        if (!request.Flag("allow_stdin", true))
            throw new KernelException("This client takes no input requests (allow_stdin is false), so a cell cannot ask for input here.");
        return input(request, prompt, password);
    }
}
