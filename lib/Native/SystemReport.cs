using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Native.Cuda;
using TorchSharp;

namespace Dreambooth.Lab.Native;

/// <summary>What a run depends on outside the project: versions, libraries, devices, memory, Unicode support.</summary>
/// <param name="Lab">Version of this assembly.</param>
/// <param name="DotNet">The .NET runtime.</param>
/// <param name="System">The operating system and processor architecture.</param>
/// <param name="Processors">Logical processors that the process may use.</param>
/// <param name="MemoryBytes">Memory that the process may use, in bytes.</param>
/// <param name="Libraries">The libtorch libraries found and loaded.</param>
/// <param name="LibTorch">libtorch's version, or null when it did not load.</param>
/// <param name="TorchSharp">TorchSharp's version.</param>
/// <param name="UnicodeWorks">Whether Unicode normalisation works; without it, token ids change silently.</param>
/// <param name="Gpus">The NVIDIA GPUs that libtorch can use; empty for a CPU build.</param>
/// <param name="Problems">What makes the lab unusable here and what to do about it; empty when it is usable.</param>
public sealed record SystemReport(
    string Lab,
    string DotNet,
    string System,
    int Processors,
    long MemoryBytes,
    TorchLibrariesReport Libraries,
    string? LibTorch,
    string? TorchSharp,
    bool UnicodeWorks,
    IReadOnlyList<GpuMemory> Gpus,
    IReadOnlyList<string> Problems)
{
    /// <summary>Whether the lab can run here.</summary>
    public bool Usable => Problems.Count == 0;

    /// <summary>
    /// Whether the lab's own CUDA kernels compile, which takes a moment when first asked, or why not; null without a GPU.
    /// </summary>
    public string? Kernels => Gpus.Count == 0 ? null
        : CudaKernels.Of(torch.CUDA, "joint_heads", torch.ScalarType.BFloat16, ("WIDTH", 64)) is not null
        ? "the lab's own CUDA kernels compile"
        : $"libtorch's operations only: {CudaKernels.Refusal ?? "LAB_CUDA_KERNELS is 0"}";

    /// <summary>The report as rows of what and how: those that <c>doctor</c> prints and a notebook shows.</summary>
    public IReadOnlyList<(string Label, string Value)> Facts =>
    [
        ("lab", Lab),
        (".NET", DotNet),
        ("system", System),
        ("processors", Processors.ToString(CultureInfo.InvariantCulture)),
        ("memory", $"{ByteSize.Text(MemoryBytes)} that this process may use"),
        ("libtorch", LibTorch is null ? "not found" : $"{LibTorch} from {Libraries.TorchFolder}"),
        ("TorchSharp",
            (TorchSharp ?? "not found")
                + (Libraries.VersionNeedMarkedWeak ? " (a copy that accepts this system's older C++ library)" : string.Empty)),
        ("Unicode", UnicodeWorks ? "normalisation works" : "normalisation does not work"),
        ("GPU", Gpus.Count == 0 ? "none that libtorch can use; everything runs on the processor" : $"{Gpus.Count} that libtorch can use"),
        .. Gpus.Select(gpu => ("  device", $"{gpu.Name}, {ByteSize.Text(gpu.Free)} free of {ByteSize.Text(gpu.Total)}")),
        .. Kernels is null ? Array.Empty<(string, string)>() : [("kernels", Kernels)],
    ];

    /// <summary>Looks at this machine; loads libtorch if that has not happened yet.</summary>
    public static SystemReport Collect()
    {
        var libraries = TorchLibraries.Load();
        var unicode = NormalisationWorks();
        var problems = new List<string>();
        if (libraries.Problem is not null)
            problems.Add(libraries.Problem);
        if (!unicode)
            problems.Add(
                "Unicode normalisation does not work: install the ICU library (Debian and Ubuntu: apt-get install libicu-dev) and leave "
                + "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT unset.");
        return new SystemReport(
            typeof(SystemReport).Assembly.GetName().Version?.ToString(3) ?? "0",
            RuntimeInformation.FrameworkDescription,
            $"{RuntimeInformation.OSDescription} ({RuntimeInformation.OSArchitecture})",
            Environment.ProcessorCount,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
            libraries,
            libraries.Problem is null ? TorchVersion() : null,
            AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == "TorchSharp")?.GetName().Version?.ToString(3),
            unicode,
            libraries.Problem is null ? Devices() : [],
            problems);
    }

    /// <summary>Whether strings are normalised and lower-cased by the full Unicode tables.</summary>
    public static bool NormalisationWorks() =>
        "e\u0301".Normalize(NormalizationForm.FormC) == "\u00e9" && "\ufb01".Normalize(NormalizationForm.FormKC) == "fi";

    // TorchSharp's own constant names the libtorch that it was built with, not the one that is loaded.
    private static unsafe string TorchVersion()
    {
        try
        {
            var version = ((delegate* unmanaged[Cdecl]<ulong>)TorchLibraries.Export("torch_cpu", "aoti_torch_abi_version"))();
            return string.Create(CultureInfo.InvariantCulture, $"{version >> 56}.{version >> 48 & 0xff}.{version >> 40 & 0xff}");
        }
        catch (EntryPointNotFoundException)
        {
            return torch.__version__;
        }
    }

    private static GpuMemory[] Devices() =>
        torch.cuda.is_available()
            ? [.. Enumerable.Range(0, torch.cuda.device_count())
                .Select(i => GpuMemory.Read(i) ?? new GpuMemory($"CUDA device {i}", 0, 0, 0))]
            : [];
}
