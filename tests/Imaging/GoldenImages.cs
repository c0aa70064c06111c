using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Dreambooth.Lab.Tests.Imaging;

internal static class GoldenImages
{
    public static string? Folder { get; } = Find();

    public static string Fixtures { get; } = Above(Path.Combine("tests", "fixtures"))!;

    public static JsonElement Manifest => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder!, "manifest.json"))).RootElement;

    public static Dictionary<string, T[]> Tensors<T>() where T : unmanaged
    {
        var file = File.ReadAllBytes(Path.Combine(Folder!, "pixel_values.safetensors"));
        var length = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        var result = new Dictionary<string, T[]>();
        foreach (var entry in JsonDocument.Parse(file.AsMemory(8, length)).RootElement.EnumerateObject())
        {
            if (entry.Name == "__metadata__")
                continue;
            var offsets = entry.Value.GetProperty("data_offsets");
            int begin = offsets[0].GetInt32(), end = offsets[1].GetInt32();
            result[entry.Name] = MemoryMarshal.Cast<byte, T>(file.AsSpan(8 + length + begin, end - begin)).ToArray();
        }

        return result;
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("LAB_GOLDEN") is { Length: > 0 } named)
            return Path.Combine(named, "images");
        return Above(Path.Combine("shared", "golden", "images"));
    }

    private static string? Above(string path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, path);
            if (Directory.Exists(candidate))
                return candidate;
        }

        return null;
    }
}
