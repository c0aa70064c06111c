using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>The header's entries of a LoRA that was computed from other files: <c>made_by</c> and <c>made_from</c>.</summary>
internal static class LoraOrigin
{
    /// <summary>The entries of a header.</summary>
    /// <param name="command">What was asked for, as <c>lora resize --rank 8</c>.</param>
    /// <param name="sources">The files, each with its weight; null where there is none. They are read whole for their SHA-256.</param>
    public static Dictionary<string, string> Of(string command, IEnumerable<(string Path, double? Weight)> sources)
    {
        var json = Json(command, sources);
        return new(StringComparer.Ordinal) { ["made_by"] = command, ["made_from"] = json["made_from"]!.ToJsonString() };
    }

    /// <summary>The same as a file of its own has it.</summary>
    /// <param name="command">What was asked for.</param>
    /// <param name="sources">The files.</param>
    public static JsonObject Json(string command, IEnumerable<(string Path, double? Weight)> sources)
    {
        var files = new JsonArray();
        foreach (var (path, weight) in sources)
        {
            var file = new JsonObject { ["file"] = Path.GetFileName(path), ["sha256"] = FileHash.Sha256(path) };
            if (weight is not null)
                file["weight"] = weight;
            files.Add((JsonNode)file);
        }

        return new JsonObject { ["made_by"] = command, ["made_from"] = files };
    }
}
