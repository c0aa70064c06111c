using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tensors;

/// <summary>
/// The weights of one model component: a single safetensors file, or several (shards) that an index file
/// <c>*.safetensors.index.json</c> ties together. Opening checks every header and that index and shards agree.
/// </summary>
public sealed class Checkpoint : ITensorSource, IDisposable
{
    private const string FileSuffix = ".safetensors";
    private const string IndexSuffix = ".safetensors.index.json";

    private readonly SafetensorsFile[] _files;
    private readonly Dictionary<string, SafetensorsFile> _fileOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsEntry> _entries = new(StringComparer.Ordinal);

    private Checkpoint(string path, SafetensorsFile[] files)
    {
        Path = path;
        _files = files;
        foreach (var file in files)
        {
            foreach (var (name, entry) in file.Tensors)
            {
                if (!_fileOf.TryAdd(name, file))
                    throw new LabException($"{path}: tensor '{name}' lies both in {_fileOf[name].Path} and in {file.Path}.");
                _entries.Add(name, entry);
            }
        }
    }

    /// <summary>The file that was opened: the safetensors file or the index.</summary>
    public string Path { get; }

    /// <summary>The safetensors files, in the order of their names.</summary>
    internal IEnumerable<string> Files => _files.Select(file => file.Path);

    /// <summary>The names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _entries.Keys;

    /// <summary>Every tensor's type, shape and place (in its shard) by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Entries => _entries;

    /// <summary>The texts of the file's header; of a sharded checkpoint, those of the first shard (by file name).</summary>
    public IReadOnlyDictionary<string, string> Metadata => _files[0].Metadata;

    /// <summary>Opens a <c>.safetensors</c> file or a <c>.safetensors.index.json</c> with the shards beside it.</summary>
    /// <param name="path">The file or the index.</param>
    /// <exception cref="LabException">A file is missing or malformed, or index and shards differ; the message says where.</exception>
    public static Checkpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
            throw new LabException($"{path} is a folder; a {FileSuffix} or {IndexSuffix} file is needed. It holds {Listing(path)}.");
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return OpenSharded(path);
        return Build(path, [path]);
    }

    /// <summary>Opens the weights in a component's folder, in one file or in shards.</summary>
    /// <param name="folder">The component's folder, as <c>transformer</c> or <c>text_encoder</c> of a model folder.</param>
    /// <param name="baseName">The published base name: <c>diffusion_pytorch_model</c> or <c>model</c>.</param>
    /// <param name="variant">The variant that is preferred, as <c>fp16</c> in <c>model.fp16.safetensors</c> or
    /// <c>model.safetensors.index.fp16.json</c>; null for the plain one, which is also taken where the folder lacks the variant.</param>
    /// <exception cref="LabException">The folder holds neither form, or what it holds is malformed.</exception>
    public static Checkpoint OpenFolder(string folder, string baseName, string? variant = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentException.ThrowIfNullOrEmpty(baseName);
        if (!Directory.Exists(folder))
            throw new LabException($"There is no folder {folder}; {baseName}{FileSuffix} was expected in it.");
        var preferred = variant is null ? null : VariantFile(folder, baseName, variant);
        if (preferred is not null)
            return Open(preferred);
        var single = System.IO.Path.Combine(folder, baseName + FileSuffix);
        if (File.Exists(single))
            return Open(single);
        var index = System.IO.Path.Combine(folder, baseName + IndexSuffix);
        if (File.Exists(index))
            return Open(index);
        throw new LabException(
            $"{folder} holds neither {baseName}{FileSuffix} nor {baseName}{IndexSuffix}. It holds {Listing(folder)}.");
    }

    /// <summary>Whether a component's folder holds weights of a variant.</summary>
    /// <param name="folder">The component's folder.</param>
    /// <param name="baseName">The published base name.</param>
    /// <param name="variant">The variant, as <c>fp16</c>.</param>
    public static bool HasVariant(string folder, string baseName, string variant) => VariantFile(folder, baseName, variant) is not null;

    /// <summary>Loads one tensor; see <see cref="SafetensorsFile.Load"/>.</summary>
    /// <param name="name">Its key.</param>
    /// <param name="device">Where it shall lie; the CPU when null.</param>
    /// <param name="dtype">Its element type; as stored when null.</param>
    /// <exception cref="LabException">There is no such tensor.</exception>
    public Tensor Load(string name, Device? device = null, ScalarType? dtype = null)
    {
        if (!_fileOf.TryGetValue(name, out var file))
            throw new LabException($"{Path} holds no tensor '{name}'. {NearestNames.Describe(name, Names)}");
        return file.Load(name, device, dtype);
    }

    /// <summary>Closes the files; loaded tensors stay valid.</summary>
    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
    }

    /// <summary>The names that the reference writes, and the older one of a sharded variant's index that it still reads.</summary>
    private static string? VariantFile(string folder, string baseName, string variant) =>
        new[] { $"{baseName}.{variant}{FileSuffix}", $"{baseName}{FileSuffix}.index.{variant}.json",
            $"{baseName}{FileSuffix}.{variant}.index.json" }
            .Select(name => System.IO.Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    private static Checkpoint OpenSharded(string path)
    {
        var shardOf = CheckpointIndex.Read(path);
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var shards = shardOf.Values.Distinct().Order(StringComparer.Ordinal).ToArray();
        if (shards.Length == 0)
            throw new LabException($"{path}: the weight_map is empty.");
        foreach (var shard in shards)
        {
            if (!File.Exists(System.IO.Path.Combine(folder, shard)))
                throw new LabException(
                    $"{path} names the shard {ShownText.Line(shard)}, which is missing. The folder holds {Listing(folder)}.");
        }

        var checkpoint = Build(path, [.. shards.Select(shard => System.IO.Path.Combine(folder, shard))]);
        try
        {
            checkpoint.CheckAgainst(shardOf);
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    private static Checkpoint Build(string path, string[] files)
    {
        var opened = new List<SafetensorsFile>(files.Length);
        try
        {
            foreach (var file in files)
                opened.Add(SafetensorsFile.Open(file));
            return new Checkpoint(path, [.. opened]);
        }
        catch
        {
            opened.ForEach(file => file.Dispose());
            throw;
        }
    }

    private void CheckAgainst(Dictionary<string, string> shardOf)
    {
        var differences = new List<string>();
        foreach (var (name, shard) in shardOf)
        {
            if (!_fileOf.TryGetValue(name, out var file))
                differences.Add($"'{name}' is missing from {shard}");
            else if (System.IO.Path.GetFileName(file.Path) != shard)
                differences.Add($"'{name}' lies in {System.IO.Path.GetFileName(file.Path)} instead of {shard}");
        }

        foreach (var name in Names.Where(name => !shardOf.ContainsKey(name)))
            differences.Add($"'{name}' of {System.IO.Path.GetFileName(_fileOf[name].Path)} is not in the index");
        if (differences.Count > 0)
            throw new LabException($"{Path} and its shards differ:\n  {string.Join("\n  ", differences)}");
    }

    private static string Listing(string folder)
    {
        var entries = Directory.EnumerateFileSystemEntries(folder);
        string[] names = [.. entries.Select(entry => System.IO.Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
        return names.Length == 0 ? "nothing" : ShownText.Names(names, 20);
    }
}
