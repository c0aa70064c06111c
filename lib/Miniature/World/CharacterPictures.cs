using Dreambooth.Lab.Foundation;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>The pictures of the gmc cat that ship with the lab: plain photos in varied poses and places.</summary>
public static class CharacterPictures
{
    private static readonly SceneKind[] Twice =
    [
        SceneKind.Beach, SceneKind.Garden, SceneKind.Rug, SceneKind.Windowsill, SceneKind.Snow, SceneKind.KitchenTable, SceneKind.Library, SceneKind.Forest,
    ];

    /// <summary>How many pictures there are.</summary>
    public const int Count = 24;

    /// <summary>What each picture shows, in order.</summary>
    public static IReadOnlyList<WorldSpec> Specs { get; } = [.. Enumerable.Range(0, Count).Select(Describe)];

    /// <summary>Renders all pictures and writes them as <c>gmc_000.png</c> to <c>gmc_023.png</c>.</summary>
    /// <param name="folder">The folder to write to; created when missing.</param>
    public static void Write(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        for (var i = 0; i < Count; i++)
        {
            var picture = WorldRenderer.RenderCharacter(Character.GmcCat, Specs[i]);
            AtomicFile.Write(Path.Combine(folder, $"gmc_{i:D3}.png"), stream => stream.Write(Png(picture)));
        }
    }

    // Every scene once, then eight of them again; a pose turns with every picture and is another one the second time.
    private static WorldSpec Describe(int index)
    {
        var spec = new WorldSpec
        {
            Kind = SubjectKind.Cat,
            Colour = Character.GmcCat.NearestColour,
            Pose = (SubjectPose)((index + (index / 6) + (index >= 16 ? 1 : 0)) % 3),
            Facing = (SubjectFacing)((index + (index / 4)) % 2),
            Scene = index < 16 ? (SceneKind)(index * 5 % 16) : Twice[index - 16],
            DetailSeed = SeededRandom.Mix((ulong)index + 1),
        };
        return SubjectTraits.ShowsPose(spec) ? spec : spec with { Pose = SubjectPose.Sitting };
    }

    private static byte[] Png(RenderedPicture picture)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(picture.Size, picture.Size, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = bitmap.GetPixelSpan();
        for (int i = 0, j = 0; j < picture.Rgb.Length; i += 4, j += 3)
        {
            picture.Rgb.AsSpan(j, 3).CopyTo(pixels[i..]);
            pixels[i + 3] = 255;
        }

        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }
}
