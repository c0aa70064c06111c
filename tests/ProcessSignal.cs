using System.Diagnostics;
using System.Globalization;

namespace Dreambooth.Lab.Tests;

/// <summary>Signals to processes, by the system's <c>kill</c>.</summary>
internal static class ProcessSignal
{
    /// <summary>Sends one and returns when it is sent.</summary>
    /// <param name="process">The process's number.</param>
    /// <param name="signal">Its name without SIG, such as TERM.</param>
    public static void Send(int process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Skips a test that sends INT or QUIT where that is ignored: processes that a test starts inherit it.</summary>
    /// <param name="signal">The signal's name.</param>
    public static void SkipWhereIgnored(string signal) => Assert.SkipWhen(
        (signal == "INT" && IsIgnored(2)) || (signal == "QUIT" && IsIgnored(3)),
        $"SIG{signal} is ignored here, as in what a shell starts in the background, and so in every process that this one starts");

    // By proc(5): a mask of ignored signals, the first in the lowest bit.
    private static bool IsIgnored(int number) =>
        OperatingSystem.IsLinux()
        && File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is var line
        && (ulong.Parse(line[7..].Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (number - 1))) != 0;
}
