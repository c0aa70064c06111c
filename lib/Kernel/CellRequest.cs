using Dreambooth.Lab.Kernel.Streams;

namespace Dreambooth.Lab.Kernel;

/// <summary>A cell to run.</summary>
/// <param name="Code">Its text, magics included.</param>
/// <param name="Count">Its number, shown in stack traces as <c>In[n]</c>.</param>
/// <param name="Key">Tells whether the same cell runs again: its id where the client says it, else its text.</param>
/// <param name="Host">Where its output goes.</param>
internal sealed record CellRequest(string Code, int Count, string Key, ICellHost Host);
