using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Other views of pictures: a part of them, in other light, some blurred and with noise, as generated pictures are. Letters: B pictures.
/// </summary>
/// <param name="random">Decides.</param>
/// <param name="smallest">The smallest part of a side that a view keeps.</param>
/// <param name="size">Side of a view, in pixels.</param>
internal sealed class PictureViews(SeededRandom random, float smallest, int size)
{
    private const float Gain = 0.12f;
    private const float Light = 0.08f;
    private const float Noise = 0.06f;
    private const double BlurredShare = 0.3;

    /// <summary>One view of each picture.</summary>
    /// <param name="pixels">−1 … 1, float32, <c>[B, 3, H, W]</c>.</param>
    /// <returns><c>[B, 3, size, size]</c>.</returns>
    public Tensor Of(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var rows = (int)pixels.shape[0];
        var grid = nn.functional.affine_grid(Places(rows).to(pixels.device), [rows, 3, size, size], align_corners: false);
        var part = nn.functional.grid_sample(pixels, grid, GridSampleMode.Bilinear, GridSamplePaddingMode.Border, align_corners: false);
        var small = nn.functional.avg_pool2d(part, 2);
        var soft = nn.functional.interpolate(small, [size, size], mode: InterpolationMode.Bilinear, align_corners: false);
        var mixed = part.lerp(soft, Column(rows, 1, () => random.Chance(BlurredShare) ? 1 : 0, pixels.device));
        var lit = mixed.mul(Column(rows, 1, () => random.Range(1 - Gain, 1 + Gain), pixels.device))
            .add(Column(rows, 3, () => random.Range(-Light, Light), pixels.device), KeptScalar.One);
        var noise = randn_like(lit).mul(Column(rows, 1, () => random.Range(0, Noise), pixels.device));
        return lit.add(noise, KeptScalar.One).MoveToOuterDisposeScope();
    }

    private Tensor Places(int rows)
    {
        var values = new float[rows * 6];
        for (var row = 0; row < rows; row++)
        {
            var side = random.Range(smallest, 1);
            var at = row * 6;
            (values[at], values[at + 4]) = (side, side);
            (values[at + 2], values[at + 5]) = (random.Range(side - 1, 1 - side), random.Range(side - 1, 1 - side));
        }

        return tensor(values, [rows, 2, 3]);
    }

    private static Tensor Column(int rows, int channels, Func<float> draw, Device device) =>
        tensor([.. Enumerable.Range(0, rows * channels).Select(_ => draw())], [rows, channels, 1, 1], device: device);
}
