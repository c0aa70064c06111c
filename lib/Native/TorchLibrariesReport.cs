namespace Dreambooth.Lab.Native;

/// <summary>What <see cref="TorchLibraries"/> found and loaded.</summary>
/// <param name="TorchFolder">The folder that libtorch came from; empty when none was found.</param>
/// <param name="Loaded">Full paths of the loaded libraries, in order.</param>
/// <param name="VersionNeedMarkedWeak">Whether TorchSharp's library was loaded from a copy that accepts an older C++ library.</param>
/// <param name="Problem">What is missing and what to do, or null when all is loaded.</param>
public sealed record TorchLibrariesReport(string TorchFolder, IReadOnlyList<string> Loaded, bool VersionNeedMarkedWeak, string? Problem);
