using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Display;
using Dreambooth.Lab.Kernel.Streams;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Events;

namespace Dreambooth.Lab.Kernel.Subkernels;

/// <summary>Passes what the kernels say about one cell on to its client.</summary>
/// <param name="cell">The cell's command.</param>
/// <param name="host">Where the output goes.</param>
internal sealed class CellEvents(KernelCommand cell, ICellHost host) : IObserver<KernelEvent>
{
    private readonly Lock _lock = new();
    private JsonObject? _result;

    /// <summary>The error that a kernel reported for the cell, or null.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Takes the value of the last part that has one; values before it are shown already.</summary>
    public JsonObject? TakeResult()
    {
        lock (_lock)
        {
            var result = _result;
            _result = null;
            return result;
        }
    }

    /// <summary>Shows the value of the part before, because another part begins.</summary>
    public void ShowResult()
    {
        if (TakeResult() is { } result)
            host.Display(result, null, update: false);
    }

    /// <inheritdoc/>
    public void OnNext(KernelEvent value)
    {
        switch (value)
        {
            case ReturnValueProduced result:
                ShowResult();
                lock (_lock)
                    _result = MimeBundle.Of(result.Value, result.FormattedValues);
                break;
            case DisplayedValueUpdated shown:
                var updated = CellDisplay.Updated(shown.ValueId, shown.Value, shown.FormattedValues);
                host.Display(MimeBundle.Of(shown.Value, updated), shown.ValueId, update: true);
                break;
            case StandardOutputValueProduced text:
                host.Stream("stdout", string.Concat(text.FormattedValues.Select(f => f.Value)));
                break;
            case StandardErrorValueProduced text:
                host.Stream("stderr", string.Concat(text.FormattedValues.Select(f => f.Value)));
                break;
            case ErrorProduced error:
                host.Stream("stderr", error.Message + "\n");
                break;
            case DisplayedValueProduced shown:
                ShowResult();
                host.Display(MimeBundle.Of(shown.Value, shown.FormattedValues), shown.ValueId, update: false);
                break;
            case CommandFailed failed when failed.Command == cell:
                Error ??= failed.Exception ?? new KernelException(failed.Message);
                break;
        }
    }

    /// <inheritdoc/>
    public void OnError(Exception error) => Error ??= error;

    /// <inheritdoc/>
    public void OnCompleted()
    {
    }
}
