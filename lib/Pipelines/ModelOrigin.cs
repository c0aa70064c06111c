using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;
using SharedTokenizers = Dreambooth.Lab.Tokenizers.TokenizerFiles;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Which model makes a picture, by its contents and not by its place, so that a picture's record means the same on another machine.
/// </summary>
/// <param name="Name">Its folder's or file's name, or its name on the hub.</param>
/// <param name="Fingerprint">
/// SHA-256 over its configuration files and, of each weights file, the length, the header and 512 samples of 64 bytes: a hash of all would
/// take minutes. Null where there is no such model.
/// </param>
/// <param name="Tokenizers">SHA-256 over the files of its tokenizers; null where it has none of its own.</param>
internal sealed record ModelOrigin(string Name, string? Fingerprint, string? Tokenizers)
{
    private const int Samples = 512;
    private const int SampleBytes = 64;
    private const int LongestHeader = 1 << 20;

    private static readonly string[] TokenizerNames =
        ["vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "spiece.model"];

    private static readonly string[] TokenizerFolders = ["tokenizer", "tokenizer_2", "tokenizer_3"];
    private static readonly string[] SharedFolders = ["clip", "t5"];
    private static readonly string[] Vocabularies = ["vocab.json", "tokenizer.json", "spiece.model"];

    private static readonly (string Component, string Weights)[] Components =
    [
        ("transformer", SD3Transformer2DModel.WeightsName), ("vae", AutoencoderKL.WeightsName),
        ("text_encoder", CLIPTextModelWithProjection.WeightsName), ("text_encoder_2", CLIPTextModelWithProjection.WeightsName),
        ("text_encoder_3", T5EncoderModel.WeightsName),
    ];

    /// <summary>Reads it.</summary>
    /// <param name="model">The model's folder or file.</param>
    /// <param name="options">Where its parts lie, and whether T5 is wanted.</param>
    /// <exception cref="Foundation.LabException">A part is missing or malformed.</exception>
    public static ModelOrigin Of(string model, PipelineOptions options)
    {
        if (Directory.Exists(model))
            return OfFolder(model, options);
        if (!File.Exists(model))
            return new ModelOrigin(NameOf(model), null, null);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var file = SingleFileModel.Open(model, options))
        {
            foreach (var weights in file.OpenAll(options.WithT5))
                Add(hash, weights);
        }

        var components = options.ComponentsFolder ?? Path.GetDirectoryName(Path.GetFullPath(model))!;
        return new ModelOrigin(NameOf(model), Hex(hash), TokenizersOf(components, options));
    }

    /// <summary>
    /// What tells this state of a model's files from any other on this machine: the fingerprint, and of each weights file the place, the
    /// length and the time of its last change. Null where there is no such model, or a file has changed meanwhile.
    /// </summary>
    /// <param name="model">The model's folder or file.</param>
    /// <param name="options">Where its parts lie, and whether T5 is wanted.</param>
    /// <param name="loadedAt">When the model was loaded.</param>
    public static string? StampOf(string model, PipelineOptions options, DateTime loadedAt)
    {
        if (Of(model, options) is not { Fingerprint: { } fingerprint } origin)
            return null;
        var weights = WeightsOf(model, options).ConvertAll(path => new FileInfo(RealPath.Of(path)));
        if (weights.Exists(file => file.LastWriteTimeUtc > loadedAt))
            return null;
        var files = weights.Select(file => string.Create(
            CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}"));
        return FileHash.Sha256OfText(string.Join('\n', [fingerprint, origin.Tokenizers ?? string.Empty, .. files]));
    }

    private static List<string> WeightsOf(string model, PipelineOptions options)
    {
        List<string> files = [];
        if (!Directory.Exists(model))
        {
            using var single = SingleFileModel.Open(model, options);
            foreach (var weights in single.OpenAll(options.WithT5))
                files.AddRange(weights.Files);
            return files;
        }

        var index = ModelIndex.Read(model);
        foreach (var (component, name) in PartsOf(index, options))
        {
            using var weights = Checkpoint.OpenFolder(index.PathOf(component), name, options.Variant);
            files.AddRange(weights.Files);
        }

        return files;
    }

    private static IEnumerable<(string Component, string Weights)> PartsOf(ModelIndex index, PipelineOptions options) =>
        Components.Where(part => index.Has(part.Component) && (options.WithT5 || part.Component != "text_encoder_3"));

    private static ModelOrigin OfFolder(string folder, PipelineOptions options)
    {
        var index = ModelIndex.Read(folder);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AddFile(hash, Path.Combine(index.PathOf("scheduler"), "scheduler_config.json"));
        foreach (var (component, name) in PartsOf(index, options))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(component));
            AddFile(hash, Path.Combine(index.PathOf(component), "config.json"));
            using var weights = Checkpoint.OpenFolder(index.PathOf(component), name, options.Variant);
            Add(hash, weights);
        }

        return new ModelOrigin(NameOf(folder), Hex(hash), TokenizersOf(folder, options));
    }

    // A folder in the hub's cache is called by the model's name there: models--OWNER--NAME/snapshots/COMMIT.
    private static string NameOf(string model)
    {
        var path = Path.TrimEndingDirectorySeparator(model);
        const string Prefix = "models--";
        return path.Split('/', '\\').LastOrDefault(part => part.StartsWith(Prefix, StringComparison.Ordinal)) is { } cached
            ? cached[Prefix.Length..].Replace("--", "/", StringComparison.Ordinal) : Path.GetFileName(path);
    }

    private static string? TokenizersOf(string folder, PipelineOptions options)
    {
        string[] own = [.. TokenizerFolders.Select(name => Path.Combine(folder, name))];
        string[] shared = own.All(place => Array.Exists(Vocabularies, name => File.Exists(Path.Combine(place, name)))) ? []
            : [.. new[] { options.TokenizersFolder, Environment.GetEnvironmentVariable(SharedTokenizers.Variable) }.OfType<string>()
                .Where(place => place.Length > 0).Take(1).SelectMany(place => SharedFolders.Select(name => Path.Combine(place, name)))];
        string[] files =
            [.. own.Concat(shared).SelectMany(place => TokenizerNames.Select(name => Path.Combine(place, name))).Where(File.Exists)];
        if (files.Length == 0)
            return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
            AddFile(hash, file);
        return Hex(hash);
    }

    private static void AddFile(IncrementalHash hash, string path)
    {
        hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(path)));
        if (File.Exists(path))
            hash.AppendData(SHA256.HashData(File.ReadAllBytes(path)));
    }

    private static void Add(IncrementalHash hash, Checkpoint weights)
    {
        Span<byte> buffer = stackalloc byte[SampleBytes];
        foreach (var path in weights.Files)
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            hash.AppendData(BitConverter.GetBytes(length));
            var header = new byte[Math.Min(length, LongestHeader)];
            hash.AppendData(header, 0, RandomAccess.Read(file, header, 0));
            for (var i = 0L; i < Samples; i++)
                hash.AppendData(buffer[..RandomAccess.Read(file, buffer, Math.Max(length - SampleBytes, 0) / Samples * i)]);
        }
    }

    private static string Hex(IncrementalHash hash) => Convert.ToHexStringLower(hash.GetHashAndReset());
}
