using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// All parts of a pipeline, found and opened; no weights are loaded yet. Disposing it closes the files; loaded weights stay valid.
/// </summary>
internal sealed record PipelineSources : IDisposable
{
    /// <summary>The noise schedule.</summary>
    public required FlowMatchEulerDiscreteSchedulerConfig Scheduler { get; init; }

    /// <summary>Tokenizer of the first CLIP encoder.</summary>
    public required ITextTokenizer Tokenizer { get; init; }

    /// <summary>Tokenizer of the second CLIP encoder.</summary>
    public required ITextTokenizer Tokenizer2 { get; init; }

    /// <summary>Tokenizer of T5, or null without it.</summary>
    public required ITextTokenizer? Tokenizer3 { get; init; }

    public required ModelSource<SD3TransformerConfig> Transformer { get; init; }

    /// <summary>The autoencoder.</summary>
    public required ModelSource<AutoencoderKLConfig> Vae { get; init; }

    /// <summary>The first CLIP encoder.</summary>
    public required ModelSource<CLIPTextConfig> Clip { get; init; }

    /// <summary>The second CLIP encoder.</summary>
    public required ModelSource<CLIPTextConfig> Clip2 { get; init; }

    /// <summary>T5, or null without it.</summary>
    public required ModelSource<T5Config>? T5 { get; init; }

    /// <summary>What is closed with it.</summary>
    public IReadOnlyList<IDisposable> Files { get; init; } = [];

    /// <summary>Opens a model.</summary>
    /// <param name="model">A folder in the published layout, or one file in the original layout.</param>
    /// <param name="options">Where things lie and whether T5 is wanted.</param>
    /// <exception cref="LabException">
    /// A file is missing or malformed, or the models do not fit each other; the message names it.
    /// </exception>
    public static PipelineSources Open(string model, PipelineOptions options)
    {
        var sources = File.Exists(model) ? OpenFile(model, options) : OpenFolder(model, options);
        try
        {
            sources.CheckFit(model);
            return sources;
        }
        catch
        {
            sources.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var file in Files)
            file.Dispose();
    }

    // Each model may be right alone and not fit the others: what one gives must be as wide as what the next takes.
    private void CheckFit(string model)
    {
        var (transformer, clip, clip2) = (Transformer.Config, Clip.Config, Clip2.Config);
        var (pooled, text) = (clip.ProjectionDim + clip2.ProjectionDim, clip.HiddenSize + clip2.HiddenSize);
        new RangeCheck(model)
            .Holds(
                transformer.PooledProjectionDim == pooled,
                $"The transformer's pooled_projection_dim is {transformer.PooledProjectionDim}; the projection_dim of both CLIP encoders "
                + $"add up to {pooled}.")
            .Holds(
                transformer.JointAttentionDim >= text,
                $"The transformer's joint_attention_dim is {transformer.JointAttentionDim}; the hidden_size of both CLIP encoders add up "
                + $"to {text}, which must not be more.")
            .Holds(
                (T5?.Config.DModel ?? transformer.JointAttentionDim) == transformer.JointAttentionDim,
                $"The transformer's joint_attention_dim is {transformer.JointAttentionDim}; T5's d_model is {T5?.Config.DModel}, which "
                + "must be the same.")
            .Holds(
                transformer.InChannels == Vae.Config.LatentChannels,
                $"The transformer's in_channels is {transformer.InChannels}; the autoencoder's latent_channels is "
                + $"{Vae.Config.LatentChannels}, which must be the same.")
            .Holds(
                (transformer.OutChannels ?? transformer.InChannels) == transformer.InChannels,
                $"The transformer's out_channels is {transformer.OutChannels}; it must equal in_channels, {transformer.InChannels}.")
            .ThrowIfAny();
    }

    private static PipelineSources OpenFile(string path, PipelineOptions options)
    {
        var model = SingleFileModel.Open(path, options);
        try
        {
            var files = new TokenizerFiles(options.TokenizersFolder);
            return new PipelineSources
            {
                Scheduler = model.Preset.Scheduler,
                Tokenizer = model.LoadTokenizer("tokenizer", PublishedTokenizers.Clip, files),
                Tokenizer2 = model.LoadTokenizer("tokenizer_2", PublishedTokenizers.Clip2, files),
                Tokenizer3 = options.WithT5 ? model.LoadTokenizer("tokenizer_3", PublishedTokenizers.T5, files) : null,
                Transformer = model.Transformer(),
                Vae = model.Vae(),
                Clip = model.Clip(),
                Clip2 = model.Clip2(),
                T5 = options.WithT5 ? model.T5() : null,
                Files = [model],
            };
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static PipelineSources OpenFolder(string folder, PipelineOptions options)
    {
        var index = ModelIndex.Read(folder);
        index.RequireVariant(options.Variant);
        var files = new TokenizerFiles(options.TokenizersFolder);
        var withT5 = options.WithT5 && index.Has("text_encoder_3") && index.Has("tokenizer_3");
        var opened = new List<IDisposable>();
        ModelSource<T> Source<T>(string component, string weightsName, Func<string, T> read)
        {
            var checkpoint = Checkpoint.OpenFolder(index.PathOf(component), weightsName, options.Variant);
            opened.Add(checkpoint);
            return new(read(Path.Combine(index.PathOf(component), "config.json")), checkpoint);
        }

        try
        {
            return new PipelineSources
            {
                Scheduler = FlowMatchEulerDiscreteSchedulerConfig.Read(Path.Combine(index.PathOf("scheduler"), "scheduler_config.json")),
                Tokenizer = TokenizerLoader.Load(index.PathOf("tokenizer"), files),
                Tokenizer2 = TokenizerLoader.Load(index.PathOf("tokenizer_2"), files),
                Tokenizer3 = withT5 ? TokenizerLoader.Load(index.PathOf("tokenizer_3"), files) : null,
                Transformer = Source("transformer", SD3Transformer2DModel.WeightsName, SD3TransformerConfig.Read),
                Vae = Source("vae", AutoencoderKL.WeightsName, AutoencoderKLConfig.Read),
                Clip = Source("text_encoder", CLIPTextModelWithProjection.WeightsName, CLIPTextConfig.Read),
                Clip2 = Source("text_encoder_2", CLIPTextModelWithProjection.WeightsName, CLIPTextConfig.Read),
                T5 = withT5 ? Source("text_encoder_3", T5EncoderModel.WeightsName, T5Config.Read) : null,
                Files = opened,
            };
        }
        catch
        {
            opened.ForEach(file => file.Dispose());
            throw;
        }
    }
}
