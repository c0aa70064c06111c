using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tensors;

/// <summary>Reads the index file of a sharded checkpoint: which shard holds which tensor.</summary>
internal static class CheckpointIndex
{
    /// <summary>The shard's file name by tensor name.</summary>
    /// <exception cref="LabException">The file is unreadable or not of the published form.</exception>
    public static Dictionary<string, string> Read(string path)
    {
        var shardOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in JsonField.ReadFile(path).Get("weight_map").Entries())
        {
            var shard = value.Text();
            if (shard.Length == 0 || shard != Path.GetFileName(shard) || shard.Contains('\\', StringComparison.Ordinal)
                || shard is "." or "..")
                throw value.Wrong("a plain file name");
            shardOf.Add(name, shard);
        }

        return shardOf;
    }
}
