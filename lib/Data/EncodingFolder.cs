using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Data;

/// <summary>
/// A folder that keeps what encoders gave, for later runs and other ranks: a safetensors file each, named by the SHA-256 of a key that says
/// all that it depends on. Files appear whole or not at all, so that several processes may share the folder. A damaged one is reported and
/// counts as missing.
/// </summary>
internal sealed class EncodingFolder
{
    /// <summary>Where the encodings lie if nothing else is said.</summary>
    public const string Default = "outputs/.cache";

    /// <summary>The most bytes that stay after a run: what was not used for the longest time is deleted.</summary>
    public const long MostBytes = 10 * ByteSize.GiB;

    private const string KeyName = "key", ContentName = "content", Pattern = "*.safetensors";

    private static readonly TimeSpan _leftBehind = TimeSpan.FromDays(1);

    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly Action<string>? _warn;
    private readonly long _most;
    private bool _cannotKeep;

    /// <summary>Opens a folder; it is created when something is kept.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="warn">Told of damaged files, and of a folder that cannot be written to.</param>
    /// <param name="most">The most bytes, see <see cref="MostBytes"/>.</param>
    public EncodingFolder(string folder, Action<string>? warn = null, long most = MostBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        (Path, _warn, _most) = (folder, warn, most);
    }

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>Reads an encoding.</summary>
    /// <param name="key">All that it depends on.</param>
    /// <param name="device">Where its tensors shall lie.</param>
    /// <returns>Tensors by name, the caller's; null where there are none, or damaged ones.</returns>
    public IReadOnlyDictionary<string, Tensor>? Find(string key, Device device)
    {
        var path = PathOf(key);
        // Another process may replace the file between two looks at it, by one of the same content.
        for (var attempt = 0; ; attempt++)
        {
            if (!File.Exists(path))
                return null;
            try
            {
                var found = Read(path, device);
                Touch(path);
                return found;
            }
            catch (Exception error) when (error is LabException or IOException or UnauthorizedAccessException)
            {
                if (attempt == 0)
                    continue;
                _warn?.Invoke($"A kept encoding is not used but computed again: {error.Message}");
                return null;
            }
        }
    }

    /// <summary>Keeps an encoding. A folder that cannot be written to is reported once, and nothing is kept.</summary>
    /// <param name="key">All that it depends on.</param>
    /// <param name="tensors">Tensors by name; they stay the caller's.</param>
    public void Keep(string key, IReadOnlyDictionary<string, Tensor> tensors)
    {
        if (_cannotKeep)
            return;
        var path = PathOf(key);
        try
        {
            SafetensorsWriter.Save(path, tensors, new Dictionary<string, string>
            {
                [KeyName] = NameOf(key),
                [ContentName] = SafetensorsWriter.Measure(tensors).Sha256,
            });
            _used.Add(path);
        }
        catch (LabException error)
        {
            _cannotKeep = true;
            _warn?.Invoke($"Encodings are not kept in {Path}: {error.Message}");
        }
    }

    /// <summary>Deletes what was not used for the longest time until the folder is within its bounds; never what this run used.</summary>
    public void Prune()
    {
        try
        {
            var files = Files(Path);
            var bytes = files.Sum(file => file.Length);
            foreach (var file in files.OrderBy(file => file.LastAccessTimeUtc).Where(file => !_used.Contains(file.FullName)))
            {
                if (bytes <= _most)
                    break;
                bytes -= file.Length;
                file.Delete();
            }

            foreach (var remains in Directory.Exists(Path) ? new DirectoryInfo(Path).EnumerateFiles(".*.tmp") : [])
            {
                if (AtomicFile.TargetOf(remains.FullName) is not null && DateTime.UtcNow - remains.LastWriteTimeUtc > _leftBehind)
                    remains.Delete();
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _warn?.Invoke($"Old encodings in {Path} cannot be deleted: {error.Message}");
        }
    }

    /// <summary>What a folder holds and how it is cleared: a phrase; null where it holds nothing.</summary>
    /// <param name="folder">The folder.</param>
    public static string? Describe(string folder)
    {
        try
        {
            var files = Files(folder);
            return files.Count == 0 ? null
                : $"{files.Count} encodings, {ByteSize.Text(files.Sum(file => file.Length))} of at most {ByteSize.Text(MostBytes)}; "
                    + "delete the folder to clear them";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // Another process deletes it at this moment, or it is another user's.
        }
    }

    private static IReadOnlyList<FileInfo> Files(string folder) =>
        Directory.Exists(folder) ? [.. new DirectoryInfo(folder).EnumerateFiles(Pattern)] : [];

    private static string NameOf(string key) => FileHash.Sha256OfText(key);

    private static Dictionary<string, Tensor> Read(string path, Device device)
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(path);
        var tensors = file.Tensors.Keys.ToDictionary(name => name, name => file.Load(name));
        if (file.Metadata.GetValueOrDefault(KeyName) != System.IO.Path.GetFileNameWithoutExtension(path)
            || file.Metadata.GetValueOrDefault(ContentName) != SafetensorsWriter.Measure(tensors).Sha256)
            throw new LabException($"{path} is damaged: its content is not what was written.");
        return tensors.ToDictionary(
            pair => pair.Key, pair => pair.Value.to(device, copy: true).MoveToOuterDisposeScope(), StringComparer.Ordinal);
    }

    // Times of access are set by hand: many systems do not keep them.
    private void Touch(string path)
    {
        _used.Add(path);
        try
        {
            File.SetLastAccessTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The folder is another user's: what is deleted first is not ours to say.
        }
    }

    private string PathOf(string key) => System.IO.Path.GetFullPath(System.IO.Path.Combine(Path, $"{NameOf(key)}.safetensors"));
}
