namespace Dreambooth.Lab.Kernel.Protocol;

/// <summary>The command line that starts a kernel; <c>{connection_file}</c> in it stands for the connection file.</summary>
/// <param name="Arguments">The program and its arguments.</param>
public sealed record KernelLaunch(IReadOnlyList<string> Arguments)
{
    private static readonly Dictionary<string, string> s_settings = new()
    {
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_GCConserveMemory"] = "7",
    };

    /// <summary>What stands for the path of the connection file.</summary>
    public const string ConnectionFilePlaceholder = "{connection_file}";

    /// <summary>
    /// Environment variables of the kernel's process: settings of .NET for one that compiles all the time and rests most of it. Methods are
    /// not compiled once more to be profiled, and the collector closes gaps instead of keeping them.
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = s_settings;

    /// <summary>
    /// The program that runs now and the arguments that come before a verb. <c>dotnet Program.dll</c> runs under the name of dotnet.
    /// </summary>
    /// <exception cref="KernelException">The program's path is not known.</exception>
    public static IReadOnlyList<string> ThisProgram
    {
        get
        {
            var host = Environment.ProcessPath ?? throw new KernelException("The path of this program cannot be found out.");
            var isDotnet = Path.GetFileNameWithoutExtension(host).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
            return isDotnet ? [host, System.Reflection.Assembly.GetEntryAssembly()?.Location ?? ""] : [host];
        }
    }

    /// <summary>Starts the program that runs now, with a verb that serves a connection file.</summary>
    /// <param name="verb">The verb and its flags, ending in the one that takes the connection file, which is added.</param>
    /// <returns>The command line with absolute paths.</returns>
    public static KernelLaunch OfThisProgram(params IReadOnlyList<string> verb) =>
        new([.. ThisProgram, .. verb, ConnectionFilePlaceholder]);

    /// <summary>Takes <see cref="Settings"/> out of this process's environment: they are not for programs that cells start.</summary>
    public void ForgetSettings()
    {
        foreach (var name in Settings.Keys)
            Environment.SetEnvironmentVariable(name, null);
    }
}
