using System.CommandLine;

namespace Dreambooth.Lab.Cli;

/// <summary><c>bench</c>: measurements that anyone can repeat, one sub-verb each.</summary>
internal static class BenchVerb
{
    public static Command Create(Session session) =>
        new("bench", "Measures parts of the lab on this machine. Each sub-verb prints its figures with units.")
        {
            SafetensorsBench.Create(session),
            KernelBench.Create(session),
            FullSizeBench.Create(session),
            OperationsBench.Create(session),
            PrecisionBench.Create(session),
            MemoryBench.Create(session),
        };
}
