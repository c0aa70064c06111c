using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Streams;

/// <summary>Where a running cell's output goes and its input comes from.</summary>
internal interface ICellHost
{
    /// <summary>Adds text to <c>stdout</c> or <c>stderr</c>.</summary>
    void Stream(string name, string text);

    /// <summary>Shows a MIME bundle, or replaces the one shown with the same id.</summary>
    /// <param name="data">MIME type to content.</param>
    /// <param name="displayId">The display's id, or null for one that will not change.</param>
    /// <param name="update">Whether the display with that id is replaced.</param>
    void Display(JsonObject data, string? displayId, bool update);

    /// <summary>Clears the cell's output, at once or with the next output.</summary>
    void Clear(bool wait);

    /// <summary>Asks the client for a line of text.</summary>
    /// <exception cref="KernelException">The client does not take input requests.</exception>
    string ReadLine(string prompt, bool password);
}
