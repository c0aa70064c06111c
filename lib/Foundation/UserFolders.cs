namespace Dreambooth.Lab.Foundation;

/// <summary>Where the lab keeps files of one user outside of the project.</summary>
internal static class UserFolders
{
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
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            var root = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : OperatingSystem.IsMacOS()
                    ? Path.Combine(home, "Library", "Caches")
                    : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(home, ".cache");
            return Path.Combine(root.Length > 0 ? root : Path.GetTempPath(), "dreambooth-lab");
        }
    }
}
