using System.ComponentModel;
using System.Runtime.CompilerServices;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// The place where a running cell notices that it was interrupted. The compiler puts a call of <see cref="Poll"/> at the head of
/// every loop body, method and block lambda of a cell; it costs one read while no interrupt is asked for.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class CellInterrupt
{
    private static readonly AsyncLocal<CellRun?> s_run = new();
    private static int s_interrupted;

    /// <summary>
    /// The cell that the calling code belongs to, or null outside of cells. Flows to tasks and threads that the cell starts.
    /// </summary>
    internal static CellRun? Current
    {
        get => s_run.Value;
        set => s_run.Value = value;
    }

    /// <summary>Throws when the cell that the caller belongs to was interrupted.</summary>
    /// <exception cref="CellInterruptedException">The cell was interrupted.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Poll()
    {
        if (Volatile.Read(ref s_interrupted) != 0)
            ThrowIfOwnCell();
    }

    /// <summary>Counts one more interrupted cell that still runs, or one less.</summary>
    internal static void Count(int change) => Interlocked.Add(ref s_interrupted, change);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowIfOwnCell()
    {
        if (s_run.Value is { IsInterrupted: true })
            throw new CellInterruptedException();
    }
}
