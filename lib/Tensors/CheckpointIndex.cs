using System.Text.Json;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tensors;

/// <summary>Reads the index file of a sharded checkpoint: which shard holds which tensor.</summary>
internal static class CheckpointIndex
{
    /// <summary>The shard's file name by tensor name.</summary>
    /// <exception cref="LabException">The file is unreadable or not of the published form.</exception>
    public static Dictionary<string, string> Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
            {
                throw new LabException($"{path} has no weight_map (an object: tensor name to shard file name).");
            }

            return ReadMap(path, map);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new LabException($"{path} is not valid JSON: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LabException($"Cannot read the checkpoint index {path}: {error.Message}", error);
        }
    }

    private static Dictionary<string, string> ReadMap(string path, JsonElement map)
    {
        var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
        {
            var shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            if (shard.Length == 0 || shard != Path.GetFileName(shard) || shard.Contains('\\', StringComparison.Ordinal) || shard is "." or "..")
                throw new LabException($"{path}: the shard of '{entry.Name}' must be a plain file name, not {entry.Value.GetRawText()}.");
            if (!shardOf.TryAdd(entry.Name, shard))
                throw new LabException($"{path}: '{entry.Name}' is listed twice.");
        }

        return shardOf;
    }
}
