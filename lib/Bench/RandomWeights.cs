using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <summary>
/// Models of given sizes with random weights, made where they are used: speed and memory do not depend on values. The values are scaled so
/// that signals neither vanish nor grow on their way through: the weights of products have the deviation that PyTorch's own layers begin
/// with (1 / √(3 × inputs)), those of norms are about 1.
/// </summary>
/// <param name="model">The sizes.</param>
/// <param name="device">Where.</param>
/// <param name="dtype">Element type.</param>
internal sealed class RandomWeights(ModelArchitecture model, Device device, ScalarType dtype)
{
    /// <summary>The noise schedule of trainings and pictures with random weights: the published one.</summary>
    public static readonly FlowMatchEulerDiscreteSchedulerConfig Scheduler = SingleFilePreset.Sd35Medium.Scheduler;

    /// <summary>
    /// What a training of models in memory is configured by: nothing is read or written. What is measured is added to it.
    /// </summary>
    public static readonly DreamBoothConfig Training = new()
    {
        PretrainedModelNameOrPath = "random",
        InstanceDataDir = "none",
        InstancePrompt = "none",
        Seed = 0,
        LearningRate = 1e-6,
        TextEncoderLr = 1e-6,
        CudaGraph = false,
    };

    private const double Small = 0.02;
    private const double Positions = 0.5;

    public SD3Transformer2DModel Transformer(Quantization quantization = Quantization.None)
    {
        var transformer = new SD3Transformer2DModel(model.Transformer, META, dtype);
        if (quantization == Quantization.Fp8)
            transformer.Quantize(device);
        return Fill(transformer);
    }

    /// <summary>The autoencoder.</summary>
    public AutoencoderKL Vae() => Fill(new AutoencoderKL(model.Vae, META, dtype));

    /// <summary>The first CLIP encoder.</summary>
    public CLIPTextModelWithProjection Clip() => Fill(new CLIPTextModelWithProjection(model.Clip, META, dtype));

    /// <summary>The second CLIP encoder.</summary>
    public CLIPTextModelWithProjection Clip2() => Fill(new CLIPTextModelWithProjection(model.Clip2, META, dtype));

    /// <summary>T5, or null.</summary>
    public T5EncoderModel? T5() => model.T5 is null ? null : Fill(new T5EncoderModel(model.T5, META, dtype));

    /// <summary>The text encoders behind a tokenizer that reads every text alike.</summary>
    /// <param name="withT5">Whether T5 is one of them.</param>
    /// <param name="window">T5's window.</param>
    public PromptEncoder Prompts(bool withT5, int window)
    {
        var tokenizer = new FixedTokenizer();
        return new(
            Clip(), Clip2(), withT5 ? T5() : null, tokenizer, tokenizer, new FixedTokenizer { ModelMaxLength = window },
            model.Transformer.JointAttentionDim);
    }

    /// <summary>Another transformer of the same values in another element type.</summary>
    /// <param name="transformer">The values.</param>
    /// <param name="type">The element type.</param>
    public SD3Transformer2DModel Copy(SD3Transformer2DModel transformer, ScalarType type)
    {
        var copy = new SD3Transformer2DModel(model.Transformer, META, type);
        var values = StateDictLoader.StateDict(transformer);
        using var noGradients = no_grad();
        foreach (var (path, owner, name, _) in StateDictLoader.Owners(copy).ToList())
            owner.Assign(name, values[path].to(type, copy: true));
        return copy;
    }

    private T Fill<T>(T module)
        where T : nn.Module
    {
        using var noGradients = no_grad();
        foreach (var (path, owner, name, value) in StateDictLoader.Owners(module).ToList())
            owner.Assign(name, Draw(path, value.shape));
        return module;
    }

    private Tensor Draw(string path, long[] shape)
    {
        var drawn = randn(shape, dtype, device);
        if (path.EndsWith("pos_embed", StringComparison.Ordinal))
            return drawn.mul_(Positions);
        if (shape.Length > 1)
            return drawn.mul_(1 / Math.Sqrt(3 * shape.Skip(1).Aggregate(1.0, (product, side) => product * side)));
        drawn.mul_(Small);
        return path.EndsWith("weight", StringComparison.Ordinal) ? drawn.add_(1) : drawn;
    }
}
