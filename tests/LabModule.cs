using System.Runtime.CompilerServices;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests;

/// <summary>Runs the lab's own start-up before any test, so that the first type of TorchSharp that a test names finds libtorch.</summary>
internal static class LabModule
{
#pragma warning disable CA2255 // whichever test runs first, alone too
    [ModuleInitializer]
    internal static void Load() => RuntimeHelpers.RunModuleConstructor(typeof(LabException).Module.ModuleHandle);
#pragma warning restore CA2255
}
