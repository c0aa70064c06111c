using System.CommandLine;
using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Bench;

/// <summary>The verbs of the bench program.</summary>
internal static class BenchCommandLine
{
    public static RootCommand Create(Session session) =>
        new("Measures parts of the lab on this machine. Each verb prints its figures with units.")
        {
            SafetensorsBench.Create(session),
            KernelBench.Create(session),
            FullSizeBench.Create(session),
            OperationsBench.Create(session),
            PrecisionBench.Create(session),
            MemoryBench.Create(session),
            EncodersBench.Create(session),
            ApproximationsBench.Create(session),
            ScalingBench.Create(session),
        };
}
