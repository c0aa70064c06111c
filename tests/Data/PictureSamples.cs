using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Tests.Data;

/// <summary>A folder of small drawn pictures, deleted at the end.</summary>
internal sealed class PictureSamples : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("lab-data-").FullName;

    public static RgbImage Draw(int width, int height, int seed)
    {
        var image = new RgbImage(width, height);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
                image[x, y] = ((byte)(x * 3 + seed * 40), (byte)(y * 5 + seed), (byte)(x + y + seed * 7));
        }

        return image;
    }

    public string Add(string name, int width = 60, int height = 48, int seed = 0)
    {
        var path = PathOf(name);
        ImageEncoder.Save(path, Draw(width, height, seed));
        return path;
    }

    /// <summary>Adds 0.png, 1.png and so on, each another picture.</summary>
    public void AddMany(int count)
    {
        for (var i = 0; i < count; i++)
            Add($"{i}.png", seed: i);
    }

    public string AddText(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    public string PathOf(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
