using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// Estimates of what a forward or backward pass holds besides weights, from shapes: the tensors that the models' own code keeps alive at
/// its widest place, or, in training, what autograd keeps of each block. Workspaces of convolutions and matrix products are not in it.
/// Letters: S image tokens, L text tokens, D width of a token.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="settings">The run.</param>
internal sealed class ActivationEstimate(ModelArchitecture model, MemorySettings settings)
{
    private static readonly ActivationCoefficients Use = ActivationCoefficients.InUse;

    private readonly LoraConfig _lora = settings.TransformerLora;

    /// <summary>The largest encoder's widest layer, for one prompt, in bytes.</summary>
    public long TextEncoding()
    {
        var clip = new[] { model.Clip, model.Clip2 }.Max(
            config =>
                (long)config.MaxPositionEmbeddings * ((Use.ClipHidden * config.HiddenSize)
                    + (Use.ClipFeedForward * config.IntermediateSize)));
        long length = settings.MaxSequenceLength;
        var t5 = model.T5 is { } config
            ? length * ((Use.T5Hidden * config.DModel) + (Use.T5Heads * config.NumHeads * config.DKv) + (Use.T5FeedForward * config.DFf)
                + (Use.T5Scores * config.NumHeads * length))
            : 0;
        return (long)(Math.Max(clip, t5) * Bytes(settings.Dtype));
    }

    /// <summary>
    /// Encoding one picture of the training size, in bytes: its widest residual block, at full size, with the block's input (the
    /// resolution's second has one of its own) and a copy of what a convolution reads.
    /// </summary>
    public long Encode()
    {
        long pixels = (long)settings.Resolution * settings.Resolution, widest = model.Vae.BlockOutChannels[0];
        return (long)(pixels * (model.Vae.InChannels + ((model.Vae.LayersPerBlock > 1
            ? 5
            : 4) * widest)) * Use.EncoderScale * Bytes(settings.VaeDtype));
    }

    /// <summary>
    /// Decoding a picture, in bytes, at the widest place of all resolutions: a residual block's input, the normalised and the convolution's
    /// output, or the doubled picture and what the convolution makes of it; and a copy of what the convolution reads. Pictures are decoded
    /// one after the other.
    /// </summary>
    public long Decode()
    {
        var channels = model.Vae.BlockOutChannels;
        double widest = 0;
        for (var level = 0; level < channels.Count; level++)
        {
            double area = Math.Pow(0.25, level), into = channels[Math.Min(level + 1, channels.Count - 1)], own = channels[level];
            widest = Math.Max(widest, area * (Math.Max((2 * into) + own, into + (3 * own)) + into));
            if (level > 0)
                widest = Math.Max(widest, area * (into + (3 * 4 * own)));
        }

        return (long)(SampleSide * SampleSide * widest * Use.DecoderScale * Bytes(settings.VaeDtype));
    }

    /// <summary>One denoising step, in bytes: one block's tensors for both halves of guidance.</summary>
    public long Sampling()
    {
        var rows = 2 * settings.SampleBatchSize;
        long image = SquareTokens(SampleSide), text = TextTokens, width = model.Transformer.InnerDim;
        return (long)(rows * (image + text) * width * Use.SamplingWidths * Bytes(settings.Dtype));
    }

    /// <summary>A training micro-batch, in bytes: what blocks keep for the backward pass, and the widest block's gradients.</summary>
    public long TrainingStep()
    {
        long image = SquareTokens(settings.Resolution), text = TextTokens, width = model.Transformer.InnerDim;
        var element = Bytes(settings.Dtype);
        double kept = 0, widest = 0;
        for (var i = 0; i < model.Transformer.NumLayers; i++)
        {
            var block = (image * KeptPerImageToken(i)) + (text * KeptPerTextToken(i));
            kept += block;
            widest = Math.Max(widest, block);
        }

        var backward = (image + text) * Use.BackwardWidths;
        var tokens = settings.UsesCheckpointing ? ((image + text) * model.Transformer.NumLayers) + widest + backward : kept + backward;
        return (long)(settings.Rows * tokens * width * element) + TrainedTextEncoders() + OfVariant(image, text);
    }

    // Beside plain LoRA's: LoHa keeps both products of the weight's size in float32 and their product as it is multiplied with, LoKr that
    // alone; and each some tensors as large as the layers' outputs.
    private long OfVariant(long image, long text)
    {
        if (settings.Training != TrainingKind.Lora || _lora.IsPlain)
            return 0;
        long element = Bytes(settings.Dtype), weights = 0, inputs = 0, outputs = 0;
        foreach (var linear in model.LoraTargets(_lora))
        {
            var tokens = settings.Rows * Tokens(linear.Path, image, text);
            weights += linear.Inputs * linear.Outputs;
            inputs += linear.Inputs * tokens;
            outputs += linear.Outputs * tokens;
        }

        var (ofWeights, rows) = _lora.Variant switch
        {
            LoraVariant.Dora => (0, Use.DoraRows),
            LoraVariant.Loha => ((2 * sizeof(float)) + element, Use.LohaRows),
            LoraVariant.Lokr => (element, Use.LokrRows),
            _ => (0L, _lora.LoraDropout > 0 ? 0 : Use.BiasRows),
        };
        var dropout = _lora.LoraDropout > 0 ? Use.DropoutRows : 0;
        var kept = (weights * ofWeights) + (long)(((outputs * rows) + (inputs * dropout)) * element);
        return settings.UsesCheckpointing ? kept / model.Transformer.NumLayers : kept;
    }

    // Modulations have one row for a picture.
    private static long Tokens(string path, long image, long text) =>
        path.EndsWith(".linear", StringComparison.Ordinal) || path.StartsWith("time_text_embed.", StringComparison.Ordinal) ? 1
        : path.Contains("add_", StringComparison.Ordinal) || path.Contains("context", StringComparison.Ordinal) ? text : image;

    // What autograd keeps of one image token in one block, in widths D of the compute type: the residual stream twice, queries, keys and
    // values as the attention reads them and its output, the feed-forward's hidden (4), and more where a LoRA or the conditioning needs a
    // gradient.
    private double KeptPerImageToken(int block)
    {
        var kept = Use.KeptResidual + Attention("attn.", "to_q", "to_k", "to_v") + FeedForward("ff");
        if (ConditioningTrains)
            kept += Use.KeptConditioning;
        if (!model.Transformer.DualAttentionLayers.Contains(block))
            return kept;
        return kept + 1 + Attention("attn2.", "to_q", "to_k", "to_v") + (ConditioningTrains ? 1 : 0);
    }

    private double KeptPerTextToken(int block)
    {
        var attention = Attention("attn.", "add_q_proj", "add_k_proj", "add_v_proj");
        if (block == model.Transformer.NumLayers - 1)
            return 1 + attention;
        return Use.KeptResidual + attention + FeedForward("ff_context") + (ConditioningTrains ? Use.KeptConditioning : 0);
    }

    // The normalisation of queries and keys keeps them as they were; an update of the output reads what the attention keeps anyway.
    private double Attention(string module, string q, string k, string v) =>
        Use.KeptAttention + (model.Transformer.HasQkNorm
            ? 2
            : 0) + (Targets(module + q) || Targets(module + k) || Targets(module + v) ? 1 : 0);

    private double FeedForward(string module) =>
        Use.KeptFeedForward + (Targets(module + ".net.0.proj") ? 1 : 0) + (Targets(module + ".net.2") ? 4 : 0);

    // With the CLIP encoders trained, the pooled text carries a gradient into every modulation.
    private bool ConditioningTrains => settings.TrainTextEncoder || settings.Training == TrainingKind.Full;

    private bool Targets(string module) =>
        settings.Training == TrainingKind.Full
            || _lora.TargetModules.Any(target => LoraConfig.IsAt("." + module, target) || target == module);

    // Distinct prompts of a micro-batch are encoded as rows: 16 hidden widths a token and layer, with the feed-forward's.
    private long TrainedTextEncoders()
    {
        if (!settings.TrainTextEncoder)
            return 0;
        double Of(Models.TextEncoders.CLIPTextConfig config) =>
            (double)config.MaxPositionEmbeddings * config.NumHiddenLayers * ((Use.KeptClipHidden * config.HiddenSize)
                + ((config.HiddenAct == "quick_gelu" ? 3L : 1L) * config.IntermediateSize));
        return (long)(settings.Rows * (Of(model.Clip) + Of(model.Clip2)) * Bytes(settings.Dtype));
    }

    private long SampleSide => settings.SampleResolution ?? (model.Transformer.SampleSize * model.Vae.SpatialFactor);

    private long TextTokens => model.Clip.MaxPositionEmbeddings + settings.MaxSequenceLength;

    private long SquareTokens(long pixels)
    {
        var side = pixels / (model.Vae.SpatialFactor * model.Transformer.PatchSize);
        return side * side;
    }

    private static long Bytes(ScalarType dtype) => ComponentSize.ElementSize(dtype);
}
