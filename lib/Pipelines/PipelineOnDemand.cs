using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Loads a pipeline whose text encoders and autoencoder have their weights in memory only while they are used.</summary>
internal static class PipelineOnDemand
{
    /// <summary>Loads it: the transformer now, of the others their declarations; all files are checked.</summary>
    /// <param name="sources">What it is made of; the pipeline takes it over.</param>
    /// <param name="options">Where and how.</param>
    /// <exception cref="Foundation.LabException">A file does not fit.</exception>
    public static StableDiffusion3Pipeline Load(PipelineSources sources, PipelineOptions options)
    {
        var (device, dtype, quantized) = (options.Device, options.Dtype, options.Quantization == Quantization.Fp8);
        var vae = new AutoencoderKL(sources.Vae.Config, META, options.VaeDtype);
        var clip = new CLIPTextModelWithProjection(sources.Clip.Config, META, dtype);
        var clip2 = new CLIPTextModelWithProjection(sources.Clip2.Config, META, dtype);
        var t5 = sources.T5 is null ? null : new T5EncoderModel(sources.T5.Config, META, dtype);
        StateDictLoader.Check(vae, sources.Vae.Weights);
        StateDictLoader.Check(clip, sources.Clip.Weights, CLIPTextModelWithProjection.IsSuperfluous);
        StateDictLoader.Check(clip2, sources.Clip2.Weights, CLIPTextModelWithProjection.IsSuperfluous);
        if (t5 is not null)
            StateDictLoader.Check(t5, sources.T5!.Weights, T5EncoderModel.IsSuperfluous);
        var transformer = options.StreamTransformer
            ? SD3Transformer2DModel.LoadStreamed(
                sources.Transformer.Config, sources.Transformer.Weights, device, dtype, options.ResidentBlocks, quantized)
            : SD3Transformer2DModel.Load(sources.Transformer.Config, sources.Transformer.Weights, device, dtype, quantized);
        var prompts = new PromptEncoder(
            clip, clip2, t5, sources.Tokenizer, sources.Tokenizer2, sources.Tokenizer3, transformer.Config.JointAttentionDim)
        {
            OnDemand = new EncodersOnDemand(
                OnDemand(clip, sources.Clip.Weights, device, dtype), OnDemand(clip2, sources.Clip2.Weights, device, dtype),
                sources.T5?.Weights, device),
        };
        return StableDiffusion3Pipeline.Of(
            prompts, transformer, vae, sources.Scheduler, options, (OnDemand(vae, sources.Vae.Weights, device, options.VaeDtype), sources));
    }

    private static WeightsOnDemand OnDemand(nn.Module model, ITensorSource weights, Device device, ScalarType dtype) =>
        new(model, () => StateDictLoader.Fill(model, weights, string.Empty, device, dtype));
}
