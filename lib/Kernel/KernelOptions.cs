using System.Reflection;

namespace Dreambooth.Lab.Kernel;

/// <summary>What a host program tells its kernel: its name, what cells can use, and limits.</summary>
public sealed record KernelOptions
{
    /// <summary>The implementation's name in <c>kernel_info_reply</c>; the kernelspec's display name follows it.</summary>
    public string Name { get; init; } = "C# kernel";

    /// <summary>The implementation's version; default: the version of the kernel's assembly.</summary>
    public string Version { get; init; } =
        typeof(KernelOptions).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? "0";

    /// <summary>Namespaces that every cell imports besides the standard ones.</summary>
    public IReadOnlyList<string> Usings { get; init; } = [];

    /// <summary>Assemblies of the host program, by name, that cells can use with no <c>#r</c>; with what those use.</summary>
    public IReadOnlyList<string> References { get; init; } = [];

    /// <summary>
    /// Called once in the background before the first cell runs, for example to register formatters for the host's own types.
    /// It must not block for long; an exception is printed on the kernel's log and does not stop the kernel.
    /// </summary>
    public Action? Configure { get; init; }

    /// <summary>
    /// Characters of stream output that one cell may send; what follows is dropped with a note. Range 1 to 2^31-1; default 8 Mi.
    /// </summary>
    public int MaxStreamCharacters { get; init; } = 8 << 20;

    /// <summary>Whether a small cell is compiled in the background at start, so that the first real one is quick. Default true.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>
    /// Whether completion is made ready after the first cell, or when the kernel has rested for a while at its start. Default true.
    /// </summary>
    public bool WarmUpCompletion { get; init; } = true;

    /// <summary>
    /// Whether output that native code or child processes write to file descriptors 1 and 2 is shown in the cell (Unix only).
    /// </summary>
    public bool CaptureNativeOutput { get; init; } = true;
}
