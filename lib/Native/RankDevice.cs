using System.Globalization;
using System.Runtime.InteropServices;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Native;

/// <summary>The GPU of a rank: the process sees no other, so that nothing of it lands on a GPU of another rank.</summary>
internal static class RankDevice
{
    /// <summary>The variable that lists the GPUs that a process sees.</summary>
    public const string Variable = "CUDA_VISIBLE_DEVICES";

    /// <summary>
    /// Shows a process that a launcher started as one of several its GPU only, whatever it will do: a sweep in parts as a training over
    /// ranks. To be called before anything loads CUDA. Nothing is done where the command names a device, or where this machine shows fewer
    /// GPUs than ranks. Variables that contradict each other are left to the verb that needs ranks.
    /// </summary>
    /// <param name="arguments">The command line.</param>
    public static void ChooseForProcess(IReadOnlyList<string> arguments)
    {
        try
        {
            if (RankEnvironment.Read() is { IsAlone: false } place && !NamesDevice(arguments) && place.LocalRank < Gpus())
                Choose(place, "cuda");
        }
        catch (UsageException)
        {
            // Only some verbs ask which rank this is; they tell it.
        }
    }

    /// <summary>Whether a command line says where to compute: on the processor, or on a GPU by its number.</summary>
    /// <param name="arguments">The command line.</param>
    internal static bool NamesDevice(IReadOnlyList<string> arguments) => arguments.Any(
        argument => argument is "cpu" or "--device=cpu" || argument.StartsWith("cuda:", StringComparison.Ordinal)
            || argument.StartsWith("--device=cuda:", StringComparison.Ordinal));

    // The driver's files, one a GPU; more than CUDA_VISIBLE_DEVICES may list, which is looked at afterwards.
    private static int Gpus() => !OperatingSystem.IsLinux() ? 0
        : Directory.EnumerateFiles("/dev", "nvidia*").Count(file => int.TryParse(Path.GetFileName(file)[6..], out _));

    /// <summary>Shows this process its GPU only. To be called before anything loads CUDA.</summary>
    /// <param name="place">The rank.</param>
    /// <param name="device">The device that the user names.</param>
    /// <exception cref="UsageException">The device is another rank's too, or there are fewer GPUs than ranks here.</exception>
    public static void Choose(RankEnvironment place, string device)
    {
        if (device == "cpu")
            return;
        if (device.StartsWith("cuda:", StringComparison.Ordinal) && device != "cuda:0")
            throw new UsageException(
                $"The device is {device} for each of {place.Count} ranks. Give cuda: each rank takes a GPU of its own.");
        if (Visible(Environment.GetEnvironmentVariable(Variable), place.LocalRank) is not { } visible)
            return;
        Environment.SetEnvironmentVariable(Variable, visible);
        if (!OperatingSystem.IsWindows())
            _ = SetNativeVariable(Variable, visible, 1); // .NET's own variables do not reach native code.
    }

    /// <summary>The value of <c>CUDA_VISIBLE_DEVICES</c> for a rank.</summary>
    /// <param name="present">The value that is there, or null.</param>
    /// <param name="localRank">The rank's number on this machine, from 0.</param>
    /// <returns>Null where it stays: the launcher shows one GPU, or none.</returns>
    /// <exception cref="UsageException">It lists fewer GPUs than that.</exception>
    public static string? Visible(string? present, int localRank)
    {
        if (present is null)
            return localRank.ToString(CultureInfo.InvariantCulture);
        var listed = Listed(present);
        return listed.Length <= 1 ? null : localRank < listed.Length ? listed[localRank] : throw new UsageException(
            $"{Variable} is '{ShownText.Line(present)}', {listed.Length} GPUs, and this is local rank {localRank} (from 0): start as many "
            + "ranks on this machine as it has GPUs.");
    }

    /// <summary>Refuses to start more ranks on this machine than it shows GPUs.</summary>
    /// <param name="present">The value of <c>CUDA_VISIBLE_DEVICES</c>; null, where this cannot be known yet, is taken.</param>
    /// <param name="count">How many ranks.</param>
    /// <param name="device">The device that the user names; with <c>auto</c> and no GPU all compute on the processor.</param>
    /// <exception cref="UsageException">There are fewer GPUs.</exception>
    public static void CheckEnough(string? present, int count, string device)
    {
        if (present is null || device == "cpu")
            return;
        var shown = Listed(present).Length;
        if (shown >= count || (shown == 0 && device == "auto"))
            return;
        throw new UsageException(
            $"num_processes is {count}, but {Variable} is '{ShownText.Line(present)}', {shown} GPU{(shown == 1 ? "" : "s")}: start as many "
            + "ranks as there are GPUs, or give --device cpu.");
    }

    // As CUDA reads it: what comes after -1 is not seen.
    private static string[] Listed(string present) =>
        [.. present.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).TakeWhile(gpu => gpu != "-1")];

#pragma warning disable SYSLIB1054, CA5392, CA2101 // plain P/Invoke into the C library
    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi)]
    private static extern int SetNativeVariable(string name, string value, int overwrite);
#pragma warning restore SYSLIB1054, CA5392, CA2101
}
