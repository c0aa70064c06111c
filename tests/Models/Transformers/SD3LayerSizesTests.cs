using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Transformers;

public sealed class SD3LayerSizesTests
{
    [Fact]
    public void Of_AConfiguration_AreTheModelsOwnLayers()
    {
        SD3TransformerConfig[] configs =
        [
            SD3TransformerConfig.Read(Path.Combine(TinyPipeline.Folder, "transformer", "config.json")),
            SingleFilePreset.Sd35Medium.Transformer,
        ];
        foreach (var config in configs)
        {
            using var model = new SD3Transformer2DModel(config, META, ScalarType.Float32);
            Assert.Equal(
                model.named_modules().Where(entry => entry.module is AdaptedLayer)
                    .Select(entry => (entry.name, Layer: (AdaptedLayer)entry.module))
                    .ToDictionary(entry => entry.name, entry => (entry.Layer.OutFeatures, entry.Layer.InFeatures)),
                SD3LayerSizes.Of(config));
        }
    }
}
