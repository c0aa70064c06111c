using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>Models of given sizes with random weights, made where they are used: speed and memory do not depend on values.</summary>
/// <param name="model">The sizes.</param>
/// <param name="device">Where.</param>
/// <param name="dtype">Element type.</param>
internal sealed class RandomWeights(ModelArchitecture model, Device device, ScalarType dtype)
{
    private const double Deviation = 0.02;

    /// <summary>The transformer.</summary>
    public SD3Transformer2DModel Transformer() => Fill(new SD3Transformer2DModel(model.Transformer, META, dtype));

    /// <summary>The autoencoder.</summary>
    public AutoencoderKL Vae() => Fill(new AutoencoderKL(model.Vae, META, dtype));

    /// <summary>The first CLIP encoder.</summary>
    public CLIPTextModelWithProjection Clip() => Fill(new CLIPTextModelWithProjection(model.Clip, META, dtype));

    /// <summary>The second CLIP encoder.</summary>
    public CLIPTextModelWithProjection Clip2() => Fill(new CLIPTextModelWithProjection(model.Clip2, META, dtype));

    /// <summary>T5, or null.</summary>
    public T5EncoderModel? T5() => model.T5 is null ? null : Fill(new T5EncoderModel(model.T5, META, dtype));

    private T Fill<T>(T module)
        where T : nn.Module
    {
        using var noGradients = no_grad();
        foreach (var (_, owner, name, value) in StateDictLoader.Owners(module).ToList())
            owner.Assign(name, randn(value.shape, dtype, device).mul_(Deviation));
        return module;
    }
}
