using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Kernel.Installation;

/// <summary>Installs, lists and removes kernels where Jupyter clients and VS Code look for them.</summary>
public static partial class KernelSpecs
{
    /// <summary>The mark in <c>kernel.json</c> by which kernels of this program are known again.</summary>
    public const string Mark = "dreambooth-lab-kernel";

    /// <summary>The folder of the user's own kernels.</summary>
    /// <returns>The folder, which need not exist: on Linux <c>~/.local/share/jupyter/kernels</c>.</returns>
    public static string UserFolder()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var data = Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } own ? own
            : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter")
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Jupyter")
            : Path.Combine(
                Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(home, ".local", "share"),
                "jupyter");
        return Path.Combine(data, "kernels");
    }

    /// <summary>The folder of kernels under a prefix such as <c>/usr/local</c>.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <returns>The folder, which need not exist.</returns>
    public static string PrefixFolder(string prefix) => Path.Combine(Path.GetFullPath(prefix), "share", "jupyter", "kernels");

    /// <summary>Installs a kernel, in the place of an earlier one of that name.</summary>
    /// <param name="kernels">The folder of kernels, from <see cref="UserFolder"/> or <see cref="PrefixFolder"/>.</param>
    /// <param name="name">Its name: letters, digits, dot, dash, underscore.</param>
    /// <param name="displayName">The name that clients show.</param>
    /// <param name="launch">The command line that starts it.</param>
    /// <returns>What was installed.</returns>
    /// <exception cref="KernelException">The name is not allowed or the folder cannot be written.</exception>
    public static KernelSpec Install(string kernels, string name, string displayName, KernelLaunch launch)
    {
        ArgumentNullException.ThrowIfNull(launch);
        if (!AllowedName().IsMatch(name))
            throw new KernelException($"'{name}' is no name for a kernel; letters, digits, dot, dash and underscore are allowed.");
        var folder = Path.Combine(kernels, name);
        var json = new JsonObject
        {
            ["argv"] = new JsonArray([.. launch.Arguments.Select(a => JsonValue.Create(a))]),
            ["display_name"] = displayName,
            ["language"] = "C#",
            ["interrupt_mode"] = "message",
            ["env"] = new JsonObject(launch.Settings.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
            ["metadata"] = new JsonObject { ["program"] = Mark },
        };
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var logo in new[] { "logo-32x32.png", "logo-64x64.png", "logo-svg.svg" })
            {
                using var source = typeof(KernelSpecs).Assembly.GetManifestResourceStream(logo)!;
                using var target = File.Create(Path.Combine(folder, logo));
                source.CopyTo(target);
            }

            var options = new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
            File.WriteAllText(Path.Combine(folder, "kernel.json"), json.ToJsonString(options) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new KernelException($"The kernel cannot be installed in '{folder}': {e.Message}", e);
        }

        return new KernelSpec(name, displayName, folder, launch.Arguments);
    }

    /// <summary>The kernels of this program.</summary>
    /// <param name="folders">Folders of kernels; default: every one that Jupyter looks into.</param>
    /// <returns>What is installed, in the order in which clients find it.</returns>
    public static IReadOnlyList<KernelSpec> List(params IReadOnlyList<string> folders)
    {
        if (folders is null or { Count: 0 })
            folders = SearchFolders();
        var candidates = folders.Where(Directory.Exists).SelectMany(f => Directory.EnumerateDirectories(f).Order(StringComparer.Ordinal));
        return [.. candidates.Select(Read).OfType<KernelSpec>()];
    }

    /// <summary>Whether another program has a kernel of a name where Jupyter clients look.</summary>
    /// <param name="name">The name.</param>
    /// <param name="folders">Folders of kernels; default: every one that Jupyter looks into.</param>
    /// <returns>True when installing that name would take another program's place, or stand beside it.</returns>
    public static bool IsTakenByOthers(string name, params IReadOnlyList<string> folders) =>
        (folders is null or { Count: 0 } ? SearchFolders() : folders).Select(f => Path.Combine(f, name))
            .Any(f => File.Exists(Path.Combine(f, "kernel.json")) && Read(f) is null);

    /// <summary>Removes a kernel of this program.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="folders">Folders of kernels; default: every one that Jupyter looks into.</param>
    /// <returns>The folders that were removed.</returns>
    /// <exception cref="KernelException">No kernel of this program has that name.</exception>
    public static IReadOnlyList<string> Uninstall(string name, params IReadOnlyList<string> folders)
    {
        var all = List(folders);
        var found = all.Where(s => s.Name == name).Select(s => s.Folder).ToList();
        if (found.Count == 0)
        {
            var known = all.Count > 0 ? "installed are " + string.Join(", ", all.Select(s => s.Name).Distinct()) : "none is installed";
            throw new KernelException($"No kernel of this program is named '{name}'; {known}.");
        }

        foreach (var folder in found)
            Directory.Delete(folder, recursive: true);
        return found;
    }

    /// <summary>The folders of kernels that Jupyter clients look into.</summary>
    /// <returns>The folders in their order, which need not exist.</returns>
    public static IReadOnlyList<string> SearchFolders()
    {
        var paths = (Environment.GetEnvironmentVariable("JUPYTER_PATH") ?? "").Split(
            Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(p => Path.Combine(p, "kernels"));
        return [.. paths, UserFolder(), PrefixFolder("/usr/local"), PrefixFolder("/usr")];
    }

    private static KernelSpec? Read(string folder)
    {
        try
        {
            var path = Path.Combine(folder, "kernel.json");
            var json = StrictJson.ParseObject(File.ReadAllBytes(path), path);
            return StrictJson.Text(StrictJson.Object(json, "metadata", path), "program", path) == Mark
                && StrictJson.Texts(json, "argv", path) is { } arguments
                ? new KernelSpec(Path.GetFileName(folder), StrictJson.Text(json, "display_name", path) ?? "", folder, arguments) : null;
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^[A-Za-z0-9._-]+$")]
    private static partial Regex AllowedName();
}
