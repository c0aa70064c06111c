using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit.Sdk;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Golden;

/// <summary>
/// One case of a parity test: a file of the fixture set, or the tensors of a file under one key prefix. It stands for the
/// cases of the full set, and is skipped, where only the small set is there.
/// </summary>
public sealed class GoldenCase : IXunitSerializable
{
    /// <summary>For the test runner, which fills it by <see cref="Deserialize"/>.</summary>
    public GoldenCase()
        : this("", "", null)
    {
    }

    internal GoldenCase(string folder, string file, string? key) => (Folder, File, Key) = (folder, file, key);

    /// <summary>The folder of the set, as <c>transformer</c>.</summary>
    public string Folder { get; private set; }

    /// <summary>The file in the folder; empty where the case stands for the absent full set.</summary>
    public string File { get; private set; }

    /// <summary>The prefix of the case's keys, without the dot; null for the whole file.</summary>
    public string? Key { get; private set; }

    /// <summary>Whether the case stands for the full set's cases, which are not there.</summary>
    public bool IsAbsent => File.Length == 0;

    /// <summary>The manifest's entry of the file.</summary>
    public GoldenFile Entry => GoldenSet.Manifest(Folder).Files.Single(file => file.Name == File);

    /// <summary>The full path of the file (of the pipeline's folder, for cases of <c>pipelines</c>).</summary>
    public string FullPath => GoldenSet.PathOf(Folder, File);

    /// <summary>
    /// The pipeline that the case was computed with: the one that the file's name, else the reference call, else the
    /// folder's description names.
    /// </summary>
    public string Pipeline =>
        new[] { File, Entry.Call, GoldenSet.Manifest(Folder).About }.Select(Named).FirstOrDefault(name => name is not null)
        ?? throw new InvalidOperationException($"The manifest names no pipeline for {this}.");

    /// <summary>The folder of <see cref="Pipeline"/>.</summary>
    public string PipelineFolder => GoldenSet.PathOf("pipelines", Pipeline);

    /// <summary>Skips the test where the case stands for a full set that is not there; call it first.</summary>
    public void Require() => Assert.SkipWhen(
        IsAbsent, "Only a small part of the fixtures is here; name the full sets by LAB_GOLDEN and LAB_GOLDEN_2.");

    /// <summary>Whether the manifest lists the tensor (its name without the case's prefix).</summary>
    public bool Has(string name) => Entry.Has(FullKey(name));

    /// <summary>Loads a tensor by its name without the case's prefix; the caller owns it and may write into it.</summary>
    public Tensor Load(string name) => GoldenSet.Load(Folder, File, FullKey(name));

    /// <summary>Loads every tensor whose key begins with the case's prefix and <paramref name="prefix"/>, by the rest of the key.</summary>
    public IReadOnlyDictionary<string, Tensor> LoadAll(string prefix)
    {
        var start = FullKey(prefix);
        return Entry.Keys.Keys.Where(key => key.StartsWith(start, StringComparison.Ordinal))
            .ToDictionary(key => key[start.Length..], key => GoldenSet.Load(Folder, File, key));
    }

    /// <summary>Parses the file as JSON.</summary>
    public JsonDocument ReadJson() => JsonDocument.Parse(System.IO.File.ReadAllBytes(FullPath));

    /// <inheritdoc/>
    public override string ToString() =>
        IsAbsent ? $"{Folder}: the full set" : Key is null ? $"{Folder}/{File}" : $"{Folder}/{File}:{Key}";

    /// <inheritdoc/>
    public void Deserialize(IXunitSerializationInfo info)
    {
        Folder = info.GetValue<string>(nameof(Folder))!;
        File = info.GetValue<string>(nameof(File))!;
        Key = info.GetValue<string?>(nameof(Key));
    }

    /// <inheritdoc/>
    public void Serialize(IXunitSerializationInfo info)
    {
        info.AddValue(nameof(Folder), Folder);
        info.AddValue(nameof(File), File);
        info.AddValue(nameof(Key), Key);
    }

    internal static GoldenCase Absent(string folder) => new(folder, "", null);

    private static string? Named(string text) => GoldenSet.Pipelines
        .FirstOrDefault(name => Regex.IsMatch(text, $@"(^|[^\w-]){Regex.Escape(name)}($|[^\w-])"));

    private string FullKey(string name) => Key is null ? name : $"{Key}.{name}";
}
