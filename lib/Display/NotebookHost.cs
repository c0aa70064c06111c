using System.Runtime.CompilerServices;
using Dreambooth.Lab.Foundation;
using Microsoft.DotNet.Interactive;

namespace Dreambooth.Lab.Display;

/// <summary>
/// The notebook that the library runs in, with any kernel of .NET Interactive's family. No set-up call is needed: the library's first use
/// in a process does it.
/// </summary>
internal static class NotebookHost
{
    private const string Package = "Microsoft.DotNet.Interactive";

    private static volatile bool _isThere;

    // Reading the context loads a package that a process without a notebook does not need.
    private static bool IsThere =>
        _isThere = _isThere || AppDomain.CurrentDomain.GetAssemblies().Any(assembly => assembly.GetName().Name == Package);

    /// <summary>Shows a view in the output of the cell that runs.</summary>
    /// <param name="view">The view.</param>
    /// <returns>Shows another view in its place; does nothing where no cell runs.</returns>
    public static Action<object> Show(HtmlView view) => (IsThere ? ShowInCell(view) : null) ?? (static _ => { });

    [ModuleInitializer]
    internal static void SetUp()
    {
        AmbientCancellation.Source = static () => IsThere ? TokenOfCell() : CancellationToken.None;
        if (IsThere)
            NotebookFormatters.Register();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Action<object>? ShowInCell(HtmlView view) =>
        KernelInvocationContext.Current is { } cell ? cell.Display(view).Update : null;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static CancellationToken TokenOfCell() =>
        KernelInvocationContext.Current is { IsComplete: false } cell ? cell.CancellationToken : CancellationToken.None;
}
