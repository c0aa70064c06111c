using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests;

/// <summary>
/// The lab as its own build leaves it. The copy beside the tests lacks what the tests' own framework references replace, and does not
/// start.
/// </summary>
internal static class LabProgram
{
    /// <summary>The folder of the program that was built with these tests: bin/CONFIGURATION/FRAMEWORK.</summary>
    public static string Folder { get; } = FindFolder();

    /// <summary>The program, to be started by <c>dotnet</c>.</summary>
    public static string Assembly => Path.Combine(Folder, "Dreambooth.Lab.dll");

    private static string FindFolder()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(GoldenSet.RepositoryRoot, "bin", own.Parent!.Name, own.Name);
    }
}
