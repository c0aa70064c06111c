using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// A user's access token. It is sent only to the hub's own host: its text cannot be read from outside this folder, and
/// <see cref="ToString"/> shows none of it.
/// </summary>
public sealed class HubToken
{
    private HubToken(string value, string source) => (Value, Source) = (value, source);

    /// <summary>Where it comes from, for messages: <c>HF_TOKEN</c> or a file.</summary>
    public string Source { get; }

    /// <summary>The token itself.</summary>
    internal string Value { get; }

    /// <summary>Reads a token that a user gave.</summary>
    /// <param name="text">The token; white space around it is dropped.</param>
    /// <param name="source">Where it comes from.</param>
    /// <exception cref="LabException">It is empty or holds characters that no token has. The message does not repeat it.</exception>
    public static HubToken Parse(string text, string source = "the argument")
    {
        ArgumentNullException.ThrowIfNull(text);
        var value = text.Trim();
        return value.Length > 0 && value.All(c => c is > ' ' and < (char)127)
            ? new HubToken(value, source)
            : throw new LabException(
                $"The token of {source} is "
                + $"{(value.Length == 0 ? "empty" : "none: it holds spaces or other characters that no token has")}; valid is the one line "
                + "that the hub shows under Settings, Access Tokens, such as hf_….");
    }

    /// <summary>The token to use: the one of the options, else the one in the token file.</summary>
    /// <param name="options">Where to look.</param>
    /// <returns>Null when no user is logged in.</returns>
    /// <exception cref="LabException">The token file cannot be read or holds no token.</exception>
    public static HubToken? Find(HubOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Token is not null)
            return options.Token;
        try
        {
            return File.Exists(options.TokenPath) && !RegularFile.HasNoLength(options.TokenPath)
                && File.ReadAllText(options.TokenPath) is var text && text.Trim().Length > 0
                ? Parse(text, options.TokenPath)
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"The token file {options.TokenPath} cannot be read: {error.Message}", error);
        }
    }

    /// <summary>What is wrong with a token file's permissions; null when only this user can read it, or on Windows.</summary>
    /// <param name="path">The token file.</param>
    internal static string? Exposure(string path)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(path))
            return null;
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        var file = Target(path);
        return (File.GetUnixFileMode(file) & others) == 0
            ? null
            : $"Other users of this machine may read or change the token file {file}; `chmod 600 {file}` closes it, and "
                + "a new token is safer.";
    }

    /// <summary>Stores the token where every hub program looks for it; only this user can read the file.</summary>
    /// <param name="path">The token file, <see cref="HubOptions.TokenPath"/>.</param>
    public void Save(string path)
    {
        // A file that the user keeps elsewhere and links to is written where it lies.
        var target = Path.GetFullPath(Target(path));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        var temporary = AtomicFile.TemporaryBeside(target);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            using (var stream = new FileStream(temporary, options))
                stream.Write(System.Text.Encoding.ASCII.GetBytes(Value));
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static string Target(string path) =>
        new FileInfo(path) is { LinkTarget: not null } link && link.ResolveLinkTarget(returnFinalTarget: true) is { } target
            ? target.FullName
            : path;

    /// <summary>Says that there is a token, without a character of it.</summary>
    public override string ToString() => $"(token from {Source})";
}
