namespace Dreambooth.Lab.Foundation;

/// <summary>Where the lab keeps a user's files outside the project.</summary>
internal static class UserFolders
{
    /// <summary>What is said where <see cref="CurrentIsThere"/> is not.</summary>
    public const string CurrentIsGone = "The current folder does not exist any more. Change to another one.";

    /// <summary>
    /// The user's own folder, whether it exists or not; where the system has none, the folder for temporary files. Never empty: files below
    /// it must not end up in the current folder.
    /// </summary>
    public static string Home =>
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify)
            is { Length: > 0 } home ? home : Path.GetTempPath();

    /// <summary>Whether the current folder exists; one that is deleted stays current.</summary>
    public static bool CurrentIsThere()
    {
        try
        {
            return Directory.Exists(Directory.GetCurrentDirectory());
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>
    /// The folder for files that can be made again: <c>LAB_CACHE</c> when set, else <c>dreambooth-lab</c> in
    /// <c>XDG_CACHE_HOME</c>, <c>~/.cache</c> (Linux), <c>~/Library/Caches</c> (macOS) or <c>%LOCALAPPDATA%</c> (Windows).
    /// </summary>
    public static string Cache
    {
        get
        {
            if (Environment.GetEnvironmentVariable("LAB_CACHE") is { Length: > 0 } chosen)
                return Path.GetFullPath(chosen);
            var root = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : OperatingSystem.IsMacOS()
                    ? Path.Combine(Home, "Library", "Caches")
                    : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(Home, ".cache");
            return Path.GetFullPath(Path.Combine(root.Length > 0 ? root : Path.GetTempPath(), "dreambooth-lab"));
        }
    }
}
