using Dreambooth.Lab.Layers.Fused;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// What happens to maps <c>[B, C, H, W]</c> between the convolutions of an autoencoder, as leaf functions: by the lab's own kernels where
/// they serve (<see cref="FeatureMapKernels"/>), elsewhere by libtorch's operations.
/// </summary>
internal static class FeatureMaps
{
    /// <summary>A model's input in the layout that its maps should have on this device; all that follows keeps it.</summary>
    /// <param name="input"><c>[B, C, H, W]</c>.</param>
    /// <param name="weight">One of the model's weights.</param>
    /// <returns>The input itself, or a copy.</returns>
    public static Tensor Arrange(Tensor input, Tensor weight) => FeatureMapKernels.Pay(input, weight) ? ChannelsLast.Of(input) : input;

    /// <summary>Adds the residual to a map, in the map's memory.</summary>
    /// <param name="map">The caller's own; overwritten.</param>
    /// <param name="residual">Of the same shape.</param>
    /// <param name="missing">
    /// The biases that map and residual still lack (<see cref="Conv2d.WithoutBias"/>), <c>[C]</c> each, or null.
    /// </param>
    /// <returns>The map.</returns>
    public static Tensor Join(Tensor map, Tensor residual, (Tensor? OfMap, Tensor? OfResidual) missing)
    {
        if (ChannelsLast.Is(residual) && FeatureMapKernels.For(map, residual, missing.OfMap, missing.OfResidual) is { } kernels)
        {
            kernels.Join(residual, missing.OfMap, missing.OfResidual);
            return map;
        }

        map.add_(residual, KeptScalar.One);
        Add(map, missing.OfMap);
        Add(map, missing.OfResidual);
        return map;
    }

    /// <summary>Adds a bias that a map lacks, in the map's memory.</summary>
    /// <param name="map">The caller's own; overwritten.</param>
    /// <param name="missing"><c>[C]</c>, or null.</param>
    public static void Add(Tensor map, Tensor? missing)
    {
        if (missing is null)
            return;
        using var wide = missing.view(1, -1, 1, 1);
        map.add_(wide, KeptScalar.One);
    }

    /// <summary>Enlarges a map by 2 in both directions, every pixel four times.</summary>
    /// <param name="map"><c>[B, C, H, W]</c>.</param>
    /// <returns><c>[B, C, 2 H, 2 W]</c>.</returns>
    public static Tensor Enlarge(Tensor map) => FeatureMapKernels.For(map)?.Enlarge()
        ?? nn.functional.interpolate(map, [2 * map.shape[2], 2 * map.shape[3]], mode: InterpolationMode.Nearest);
}
