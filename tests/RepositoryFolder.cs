namespace Dreambooth.Lab.Tests;

/// <summary>The project's root folder, for tests that read its sources and data.</summary>
internal static class RepositoryFolder
{
    public static string Path { get; } = Find();

    public static string Combine(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Dreambooth.Lab.csproj")))
            folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException($"No Dreambooth.Lab.csproj above {AppContext.BaseDirectory}.");
    }
}
