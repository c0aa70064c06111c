using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>What other programs compare their preparation of pictures with: pictures of odd sizes and the values made of them.</summary>
internal static class PreparationSample
{
    // Both sides odd, one long, one side just the shorter side's target, halves of a pixel to cut off, smaller than the target.
    private static readonly (int Width, int Height)[] Sizes =
        [(331, 247), (1001, 333), (256, 301), (257, 1024), (699, 512), (97, 61), (224, 224)];

    /// <summary>
    /// Writes <c>dino/</c> and <c>clip/</c> with config and preprocessing, <c>odd/</c> with pictures, and <c>pixels.safetensors</c> with
    /// their values, float32 <c>[3, H, W]</c> each, named encoder, protocol and picture with a stroke between.
    /// </summary>
    /// <param name="folder">Where.</param>
    /// <param name="sizes">The encoders.</param>
    public static void Write(string folder, EncoderSizes sizes)
    {
        EncoderFolders.WriteDinoConfigs(Path.Combine(folder, "dino"), sizes.Dino, sizes.DinoProcessor);
        EncoderFolders.WriteClipVisionConfigs(Path.Combine(folder, "clip"), sizes.Clip, sizes.ClipProcessor);
        var odd = Directory.CreateDirectory(Path.Combine(folder, "odd")).FullName;
        using var scope = NewDisposeScope();
        var values = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (width, height) in Sizes)
        {
            var name = $"{width}x{height}";
            var image = Picture(width, height);
            File.WriteAllBytes(Path.Combine(odd, name + ".png"), Imaging.ImageEncoder.EncodePng(image));
            foreach (var encoder in (string[])["dino", "clip"])
            {
                foreach (var protocol in Enum.GetValues<ImageProtocol>())
                {
                    values[$"{encoder}/{protocol.ToString().ToLowerInvariant()}/{name}"] =
                        ImageProcessor.Load(Path.Combine(folder, encoder), protocol).Stack([image])[0];
                }
            }
        }

        SafetensorsWriter.Save(Path.Combine(folder, "pixels.safetensors"), values);
    }

    // A painted scene with noise on it, so that every level and the sharpest edges occur; the same in every run.
    private static RgbImage Picture(int width, int height)
    {
        var side = Math.Max(width, height);
        var scene = WorldRenderer.Render(WorldSampler.Draw((ulong)((width * 31) + height)), side);
        var image = ImageTransforms.CenterCrop(scene, width, height);
        var random = new Random((width * 31) + height);
        byte[] pixels = [.. image.Pixels.ToArray().Select(
            (level, i) => i / (3 * width) % 2 == 0 ? level : (byte)Math.Clamp(level + random.Next(-128, 129), 0, 255))];
        return new RgbImage(width, height, pixels);
    }
}
