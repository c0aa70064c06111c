using Dreambooth.Lab.Kernel.Streams;
using Microsoft.DotNet.Interactive;

// In this namespace because every cell imports it.
#pragma warning disable IDE0130
namespace System;

/// <summary>What this kernel adds to the context of a cell.</summary>
public static class OutputExtensions
{
    /// <summary>Clears what the cell has shown so far.</summary>
    /// <param name="context">The cell's context.</param>
    /// <param name="wait">Whether to wait for the next output, so that nothing flickers. Default false: at once.</param>
    public static void ClearOutput(this KernelInvocationContext context, bool wait = false)
    {
        ArgumentNullException.ThrowIfNull(context);
        CellConsole.Current?.Clear(wait);
    }
}
