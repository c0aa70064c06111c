using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Bench;

/// <content>What a row holds while it is measured.</content>
internal sealed partial class FullSizeBenchmark
{
    private Tensor Latents(int batch, int size)
    {
        long side = size / options.Model.Vae.SpatialFactor;
        return randn([batch, options.Model.Transformer.InChannels, side, side], ScalarType.Float32, options.Device);
    }

    private PromptEmbeddings Text(int batch, int tokens) => new(
        randn([batch, tokens, options.Model.Transformer.JointAttentionDim], options.Dtype, options.Device),
        randn([batch, options.Model.Transformer.PooledProjectionDim], options.Dtype, options.Device));

    /// <summary>What is timed, and what it needs beside the models.</summary>
    private sealed record Piece(Action Step, params IDisposable[] Owned) : IDisposable
    {
        public Func<bool> IsRecorded { get; init; } = () => false;

        public void Dispose() => Array.ForEach(Owned, owned => owned.Dispose());
    }

    /// <summary>What is on the device while a recipe trains: the transformer and the CLIP encoders.</summary>
    private sealed class Trained(RandomWeights weights) : IDisposable
    {
        public SD3Transformer2DModel Transformer { get; } = weights.Transformer();

        public PromptEncoder Prompts { get; } = weights.Prompts(withT5: false, PromptTokens);

        public void Dispose()
        {
            Prompts.Dispose();
            Transformer.Dispose();
        }
    }
}
