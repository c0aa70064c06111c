using Dreambooth.Lab.Kernel.Display;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Compiles and runs a small cell on an engine of its own, so that the compiler is loaded before the first real cell.</summary>
internal static class WarmUp
{
    /// <summary>Runs once; failures do not matter.</summary>
    public static void Run()
    {
        // Beside the first cell, which may not need it.
        _ = Task.Run(() => MimeBundle.Of(new List<int> { 1 }));
        var engine = new CellEngine([]);
        using var run = new CellRun(null);
        engine.Execute("var warm = 1;\nwarm", "warm-up", "warm-up", run);
    }
}
