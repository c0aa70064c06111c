using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Tests.Golden;

/// <summary>One file of a fixture set, as its manifest describes it.</summary>
public sealed class GoldenFile
{
    internal GoldenFile(string folder, string name, JsonElement entry)
    {
        Folder = folder;
        Name = name;
        About = entry.TryGetProperty("about", out var about) ? about.GetString() ?? "" : "";
        Call = entry.TryGetProperty("call", out var call) ? call.GetString() ?? "" : "";
        Meta = entry.TryGetProperty("meta", out var meta) ? meta.Clone() : null;
        Keys = entry.TryGetProperty("tensors", out var tensors)
            ? tensors.EnumerateObject().ToDictionary(tensor => tensor.Name, tensor => tensor.Value.Clone())
            : [];
    }

    /// <summary>The folder that holds the file.</summary>
    public string Folder { get; }

    /// <summary>The file's name inside the folder.</summary>
    public string Name { get; }

    /// <summary>What the file is, in the manifest's words; may be empty.</summary>
    public string About { get; }

    /// <summary>The reference call behind it; may be empty.</summary>
    public string Call { get; }

    /// <summary>The <c>meta</c> entry, as the arguments of a pipeline run; null when there is none.</summary>
    public JsonElement? Meta { get; }

    /// <summary>The manifest's entry (shape, dtype, about) of every tensor.</summary>
    public IReadOnlyDictionary<string, JsonElement> Keys { get; }

    /// <summary>Whether it holds a model's weights.</summary>
    public bool IsModel => Name.EndsWith("/model.safetensors", StringComparison.Ordinal);

    /// <summary>Whether the manifest lists the tensor.</summary>
    public bool Has(string key) => Keys.ContainsKey(key);

    /// <summary>The distinct values that the group <c>case</c> of the pattern takes over the keys, in order of first appearance.</summary>
    public IEnumerable<string> CaseKeys(Regex pattern) =>
        Keys.Keys.Select(key => pattern.Match(key)).Where(match => match.Success).Select(match => match.Groups["case"].Value).Distinct();
}
