using System.Text;

namespace Dreambooth.Lab.Foundation;

/// <summary>What the ranks of a run prove each other to know, so that nobody else joins or leads them.</summary>
internal static class RankSecret
{
    /// <summary>The variable with the secret itself.</summary>
    public const string Variable = "LAB_CLUSTER_SECRET";

    /// <summary>The variable that names its file.</summary>
    public const string FileVariable = "LAB_CLUSTER_SECRET_FILE";

    private const int Shortest = 16, Longest = 4096;

    /// <summary>Reads the secret of this run.</summary>
    /// <param name="variable">The environment; null for this process's own.</param>
    /// <exception cref="UsageException">There is none, it is too short, or others can read its file.</exception>
    public static byte[] Read(Func<string, string?>? variable = null)
    {
        variable ??= Environment.GetEnvironmentVariable;
        if (variable(Variable) is { Length: > 0 } text)
            return Checked(text, Variable);
        var path = variable(FileVariable) is { Length: > 0 } named ? named : throw new UsageException(
            $"Several ranks were started, and neither {Variable} nor {FileVariable} is set. Give all ranks one secret that only they know: "
            + $"`(umask 077; openssl rand -hex 32 > FILE); export {FileVariable}=FILE`.");
        return Checked(ReadFile(path), $"The file {path} ({FileVariable})");
    }

    private static string ReadFile(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (file.Length > Longest)
                throw new UsageException($"The file {path} ({FileVariable}) has {file.Length} bytes; a secret has at most {Longest}.");
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & ~Owner) is var wider and not UnixFileMode.None)
            {
                throw new UsageException(
                    $"The file {path} ({FileVariable}) is open to others than its owner ({wider}). Make it private: chmod 600 {path}");
            }

            using var reader = new StreamReader(file, Encoding.UTF8);
            return reader.ReadToEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The file {path} ({FileVariable}) cannot be read: {error.Message}");
        }
    }

    private static UnixFileMode Owner => UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static byte[] Checked(string text, string source)
    {
        var secret = Encoding.UTF8.GetBytes(text.Trim());
        return secret.Length >= Shortest ? secret : throw new UsageException(
            $"{source} holds a secret of {secret.Length} bytes; it must have at least {Shortest}. `openssl rand -hex 32` gives one.");
    }
}
