using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Gives models their first weights, drawn on the CPU from a seed, each kind in the way that its paper or reference does.
/// </summary>
internal static class WeightInitializer
{
    private const double ClipStd = 0.02;

    /// <summary>Norms to identity, convolutions and linear layers uniform by their fan (biases of linear layers zero).</summary>
    /// <param name="model">A model on the CPU.</param>
    /// <param name="seed">Seed of the draw.</param>
    public static void Initialize(nn.Module model, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed, CPU);
        foreach (var (path, module) in model.named_modules().OrderBy(entry => entry.name, StringComparer.Ordinal))
            Initialize(module, path, generator);
        switch (model)
        {
            case SD3Transformer2DModel transformer:
                Finish(transformer, generator);
                break;
            case CLIPTextModelWithProjection clip:
                Finish(clip, generator);
                break;
            case T5EncoderModel t5:
                Finish(t5, generator);
                break;
            case IImageEncoder:
                FinishImages(model, generator);
                break;
        }
    }

    /// <summary>
    /// Two-dimensional sines and cosines of the places of patches (Vaswani et al. 2017, arXiv:1706.03762, for rows and columns), one
    /// period step a patch: columns in the first half of the width, rows in the second.
    /// </summary>
    /// <param name="side">Side of the table, in patches.</param>
    /// <param name="width">Width of a vector, a multiple of 4.</param>
    /// <returns>float32, <c>[1, side², width]</c>.</returns>
    public static Tensor SinCosTable(int side, int width)
    {
        using var scope = NewDisposeScope();
        var quarter = width / 4;
        var frequency = full([1], KeptScalar.Of(10000), ScalarType.Float32)
            .pow(KeptScalar.Range(0, quarter, ScalarType.Float32, CPU).div(KeptScalar.Of(-(double)quarter)));
        var angle = KeptScalar.Range(0, side, ScalarType.Float32, CPU).unsqueeze(1) * frequency.unsqueeze(0);
        var line = cat([sin(angle), cos(angle)], dim: 1);
        var columns = line.unsqueeze(0).expand(side, side, 2 * quarter);
        var rows = line.unsqueeze(1).expand(side, side, 2 * quarter);
        return cat([columns, rows], dim: 2).reshape(1, side * side, width).MoveToOuterDisposeScope();
    }

    private static void Initialize(nn.Module module, string path, Generator generator)
    {
        switch (module)
        {
            case RMSNorm or LayerNorm or GroupNorm:
                ((WeightedLayer)module).Weight.fill_(KeptScalar.One);
                ((WeightedLayer)module).Bias?.zero_();
                break;
            case Conv2d convolution:
                var fan = convolution.Weight.shape[1] * convolution.Weight.shape[2] * convolution.Weight.shape[3];
                Uniform(convolution.Weight, 1 / Math.Sqrt(fan), generator);
                if (convolution.Bias is not null)
                    Uniform(convolution.Bias, 1 / Math.Sqrt(fan), generator);
                break;
            case LoraLinear linear:
                Uniform(linear.Weight, Math.Sqrt(6.0 / (linear.InFeatures + linear.OutFeatures)), generator);
                linear.Bias?.zero_();
                break;
            case Embedding embedding:
                Normal(embedding.Weight, ClipStd, generator);
                break;
        }
    }

    // Modulations start at zero, so that every block starts as the identity (Peebles and Xie 2022, arXiv:2212.09748), and so does the
    // output.
    private static void Finish(SD3Transformer2DModel model, Generator generator)
    {
        foreach (var (_, module) in model.named_modules())
        {
            var linear = module switch { AdaLayerNormZero norm => norm.Linear, AdaLayerNormContinuous norm => norm.Linear, _ => null };
            linear?.Weight.zero_();
        }

        model.ProjOut.Weight.zero_();
        foreach (var embedder in new[] { model.TimeTextEmbed.TimestepEmbedder, model.TimeTextEmbed.TextEmbedder })
        {
            Normal(embedder.Linear1.Weight, ClipStd, generator);
            Normal(embedder.Linear2.Weight, ClipStd, generator);
        }

        model.PosEmbed.Positions.copy_(SinCosTable(model.Config.PosEmbedMaxSize, model.Config.InnerDim));
        var patch = model.PosEmbed.Proj.Weight;
        Uniform(patch, Math.Sqrt(6.0 / (patch.shape[0] + patch[0].numel())), generator);
        model.PosEmbed.Proj.Bias!.zero_();
    }

    // Positions begin as waves: few steps would not find the neighbours of a patch from random vectors.
    private static void FinishImages(nn.Module model, Generator generator)
    {
        foreach (var (path, _, name, value) in StateDictLoader.Owners(model))
        {
            if (name is "cls_token" or "class_embedding")
                Normal(value, ClipStd, generator);
            if (name != "position_embeddings" && !path.EndsWith("position_embedding.weight", StringComparison.Ordinal))
                continue;
            var rows = value.view(-1, value.shape[^1]);
            var side = (int)Math.Round(Math.Sqrt(rows.shape[0] - 1));
            rows.narrow(0, 0, 1).zero_();
            rows.narrow(0, 1, (long)side * side).copy_(SinCosTable(side, (int)rows.shape[1]).squeeze(0).mul(KeptScalar.Of(0.5)));
        }
    }

    private static void Finish(CLIPTextModelWithProjection model, Generator generator)
    {
        int width = model.Config.HiddenSize, layers = model.Config.NumHiddenLayers;
        var inner = Math.Pow(width, -0.5) * Math.Pow(2 * layers, -0.5);
        foreach (var layer in model.TextModel.EncoderLayers)
        {
            foreach (var linear in new[] { layer.SelfAttn.QProj, layer.SelfAttn.KProj, layer.SelfAttn.VProj })
                Normal(linear.Weight, inner, generator);
            Normal(layer.SelfAttn.OutProj.Weight, Math.Pow(width, -0.5), generator);
            Normal(layer.Mlp.Fc1.Weight, Math.Pow(2 * width, -0.5), generator);
            Normal(layer.Mlp.Fc2.Weight, inner, generator);
        }

        Normal(model.TextProjection.Weight, Math.Pow(width, -0.5), generator);
    }

    private static void Finish(T5EncoderModel model, Generator generator)
    {
        var config = model.Config;
        var byWidth = Math.Pow(config.DModel, -0.5);
        Normal(model.Shared.Weight, 1, generator);
        foreach (var block in model.Blocks)
        {
            var attention = block.Attention.SelfAttention;
            Normal(attention.Q.Weight, Math.Pow(config.DModel * config.DKv, -0.5), generator);
            Normal(attention.K.Weight, byWidth, generator);
            Normal(attention.V.Weight, byWidth, generator);
            Normal(attention.O.Weight, Math.Pow(config.NumHeads * config.DKv, -0.5), generator);
            if (attention.RelativeAttentionBias is not null)
                Normal(attention.RelativeAttentionBias.Weight, byWidth, generator);
            Normal(block.FeedForward.Wi0.Weight, byWidth, generator);
            Normal(block.FeedForward.Wi1.Weight, byWidth, generator);
            Normal(block.FeedForward.Wo.Weight, Math.Pow(config.DFf, -0.5), generator);
        }
    }

    private static void Uniform(Tensor target, double bound, Generator generator) =>
        target.copy_(rand(target.shape, ScalarType.Float32, CPU, generator: generator)
            .mul_(KeptScalar.Of(2 * bound)).sub_(KeptScalar.Of(bound)));

    private static void Normal(Tensor target, double std, Generator generator) =>
        target.copy_(randn(target.shape, ScalarType.Float32, CPU, generator: generator).mul_(KeptScalar.Of(std)));
}
