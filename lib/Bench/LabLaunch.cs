using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Bench;

/// <summary>Starts the lab that lies beside this program, for what is measured as a whole process.</summary>
internal static class LabLaunch
{
    /// <summary>The lab's program and what comes before a verb.</summary>
    public static IReadOnlyList<string> Program { get; } =
        [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", Path.Combine(AppContext.BaseDirectory, "Dreambooth.Lab.dll")];

    /// <summary>The lab's kernel.</summary>
    public static KernelLaunch Kernel { get; } =
        new([.. Program, "kernel", "start", "--connection-file", KernelLaunch.ConnectionFilePlaceholder]);
}
