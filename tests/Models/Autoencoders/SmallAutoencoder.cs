using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Autoencoders;

/// <summary>An autoencoder of two resolutions with random weights.</summary>
internal static class SmallAutoencoder
{
    public static AutoencoderKLConfig Config { get; } = new()
    {
        BlockOutChannels = [32, 64],
        DownBlockTypes = ["DownEncoderBlock2D", "DownEncoderBlock2D"],
        UpBlockTypes = ["UpDecoderBlock2D", "UpDecoderBlock2D"],
        LayersPerBlock = 2,
        LatentChannels = 4,
        NormNumGroups = 8,
        UsePostQuantConv = false,
    };

    public static AutoencoderKL Random(AutoencoderKLConfig config, Device device)
    {
        TorchLibraries.EnsureLoaded();
        var model = new AutoencoderKL(config, META, ScalarType.Float32);
        foreach (var (_, owner, name, value) in StateDictLoader.Owners(model).ToList())
            owner.Assign(name, SeededNoise.Normal(value.shape, 1).mul_(0.1).to(device));
        return model;
    }
}
