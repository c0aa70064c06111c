using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>
/// What a run leaves in the metadata of each cell that it executed, so that anybody can tell later whether the outputs in the file are
/// those of the code in the file: <c>"lab": { "outputs": 2, "source_sha256": "…" }</c>. It holds no time and no name of a machine: the same
/// run leaves the same bytes.
/// </summary>
/// <param name="SourceHash">SHA-256 of the cell's text in UTF-8 with line ends <c>\n</c>, in lower-case hexadecimal.</param>
/// <param name="Outputs">How many outputs the run gave.</param>
internal sealed record CellStamp(string SourceHash, int Outputs)
{
    private const string Key = "lab";
    private const string HashKey = "source_sha256";
    private const string OutputsKey = "outputs";

    /// <summary>The stamp of a cell that was executed now.</summary>
    public static CellStamp Of(string source, int outputs) => new(HashOf(source), outputs);

    /// <summary>The hash of a cell's text.</summary>
    public static string HashOf(string source) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source.ReplaceLineEndings("\n"))));

    /// <summary>The stamp in a cell's metadata, or null.</summary>
    public static CellStamp? Read(JsonObject? metadata) =>
        metadata?[Key] is JsonObject stamp && stamp[HashKey] is JsonValue hash && hash.TryGetValue<string>(out var text)
            && stamp[OutputsKey] is JsonValue outputs && outputs.TryGetValue<int>(out var count)
                ? new CellStamp(text, count)
                : null;

    /// <summary>Puts the stamp into a cell's metadata, where the order of names puts it; other fields stay.</summary>
    /// <returns>Whether anything changed.</returns>
    public bool Write(JsonObject metadata)
    {
        if (Read(metadata) == this)
            return false;
        if (metadata[Key] is not JsonObject stamp)
        {
            metadata.Remove(Key);
            var index = metadata.Count(field => string.CompareOrdinal(field.Key, Key) < 0);
            metadata.Insert(index, Key, stamp = []);
        }

        stamp[OutputsKey] = Outputs;
        stamp[HashKey] = SourceHash;
        return true;
    }
}
