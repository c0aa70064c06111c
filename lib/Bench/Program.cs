using System.Runtime.CompilerServices;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Bench;

/// <summary>The program's start.</summary>
internal static class Program
{
    private static int Main(string[] args) => Cli.Program.Start(session =>
        LabCommandLine.Run(args, session, BenchCommandLine.Create, "dotnet run --project lib/Bench --"));

    // Types of this assembly may touch TorchSharp before any of the lab's, whose initializer finds libtorch.
#pragma warning disable CA2255 // the tests load this assembly without its Main
    [ModuleInitializer]
    internal static void LoadLab() => RuntimeHelpers.RunModuleConstructor(typeof(LabException).Module.ModuleHandle);
#pragma warning restore CA2255
}
