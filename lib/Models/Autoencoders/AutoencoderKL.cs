using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.Autoencoders;

/// <summary>
/// The variational autoencoder of Stable Diffusion (Rombach et al. 2022, arXiv:2112.10752), with the published parameter
/// names (diffusers <c>models/autoencoders/autoencoder_kl.py</c>, commit 58eb52c).
/// On CUDA, where no gradient is wanted, maps and weights of convolutions lie with their channels last in memory; shapes stay.
/// Letters: B rows, H and W of pictures, C latent channels, h = H/f and w = W/f of the latents.
/// </summary>
public sealed class AutoencoderKL : nn.Module
{
    /// <summary>The base name of the published weights file.</summary>
    public const string WeightsName = "diffusion_pytorch_model";

    /// <summary>Declares the layers; weights are loaded afterwards.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public AutoencoderKL(AutoencoderKLConfig config, Device device, ScalarType dtype)
        : base(nameof(AutoencoderKL))
    {
        ArgumentNullException.ThrowIfNull(config);
        Config = config;
        long moments = 2 * config.LatentChannels, latents = config.LatentChannels;
        Encoder = new VaeEncoder(config, device, dtype);
        Decoder = new VaeDecoder(config, device, dtype);
        QuantConv = config.UseQuantConv ? new Layers.Conv2d(moments, moments, 1, 1, 0, device, dtype) : null;
        PostQuantConv = config.UsePostQuantConv ? new Layers.Conv2d(latents, latents, 1, 1, 0, device, dtype) : null;
        RegisterComponents();
    }

    /// <summary>Loads a published model folder: <c>config.json</c> and <c>diffusion_pytorch_model.safetensors</c>.</summary>
    /// <param name="folder">The folder, usually <c>vae</c>.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <param name="variant">The variant of the files that is preferred, as <c>fp16</c>, or null.</param>
    /// <exception cref="Foundation.LabException">A file is missing or does not fit the configuration.</exception>
    public static AutoencoderKL Load(string folder, Device device, ScalarType dtype, string? variant = null)
    {
        using var checkpoint = Checkpoint.OpenFolder(folder, WeightsName, variant);
        return Load(AutoencoderKLConfig.Read(Path.Combine(folder, "config.json")), checkpoint, device, dtype);
    }

    /// <summary>Loads weights under the published names from anywhere.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="weights">The weights, which stay the caller's.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    /// <exception cref="Foundation.LabException">The weights do not fit the configuration.</exception>
    public static AutoencoderKL Load(AutoencoderKLConfig config, ITensorSource weights, Device device, ScalarType dtype)
    {
        var model = new AutoencoderKL(config, META, dtype);
        StateDictLoader.Load(model, weights, device, dtype);
        return model;
    }

    /// <summary>Sizes.</summary>
    public AutoencoderKLConfig Config { get; }

    /// <summary>Pictures to moments.</summary>
    [field: ComponentName(Name = "encoder")]
    public VaeEncoder Encoder { get; }

    /// <summary>Latents to pictures.</summary>
    [field: ComponentName(Name = "decoder")]
    public VaeDecoder Decoder { get; }

    /// <summary>1×1 convolution after the encoder, or null.</summary>
    [field: ComponentName(Name = "quant_conv")]
    public Layers.Conv2d? QuantConv { get; }

    /// <summary>1×1 convolution before the decoder, or null.</summary>
    [field: ComponentName(Name = "post_quant_conv")]
    public Layers.Conv2d? PostQuantConv { get; }

    /// <summary>Whether the rows of a batch are handled one at a time: memory of one picture.</summary>
    public bool UseSlicing { get; set; }

    /// <summary>Encodes pictures.</summary>
    /// <param name="pixels">−1 … 1, <c>[B, 3, H, W]</c>; H and W multiples of f.</param>
    /// <returns>The distribution of the latents, before shift and scale.</returns>
    public LatentDistribution Encode(Tensor pixels)
    {
        using var moments = EncodeMoments(pixels);
        return LatentDistribution.FromMoments(moments);
    }

    /// <summary>Encodes pictures to means and log variances.</summary>
    /// <param name="pixels">−1 … 1, <c>[B, 3, H, W]</c>; H and W multiples of f.</param>
    /// <returns>Means, then log variances (not clamped), <c>[B, 2 C, h, w]</c>.</returns>
    /// <exception cref="ArgumentException">The sides are no multiples of f.</exception>
    public Tensor EncodeMoments(Tensor pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        var factor = Config.SpatialFactor;
        if (pixels.dim() != 4 || pixels.shape[2] % factor != 0 || pixels.shape[3] % factor != 0)
            throw new ArgumentException(
                $"Pictures have shape [{string.Join(", ", pixels.shape)}]; [B, {Config.InChannels}, H, W] with sides that are multiples of "
                + $"{factor} is needed.", nameof(pixels));
        return Sliced(pixels, EncodeRows);
    }

    /// <summary>Decodes latents.</summary>
    /// <param name="latents">Latents before shift and scale, <c>[B, C, h, w]</c>.</param>
    /// <returns>Pictures, about −1 … 1, <c>[B, 3, H, W]</c>.</returns>
    public Tensor Decode(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        return Sliced(latents, DecodeRows);
    }

    /// <summary>Latents as the transformer sees them: <c>(z − shift) · scale</c>.</summary>
    /// <param name="latents">Latents of the autoencoder, any shape.</param>
    public Tensor ScaleLatents(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using var centred = latents.sub(KeptScalar.Of(Config.ShiftFactor ?? 0));
        return centred.mul(KeptScalar.Of(Config.ScalingFactor));
    }

    /// <summary>Latents as the autoencoder sees them: <c>x / scale + shift</c>.</summary>
    /// <param name="latents">Latents of the transformer, any shape.</param>
    public Tensor UnscaleLatents(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using var unscaled = latents.div(KeptScalar.Of(Config.ScalingFactor));
        return unscaled.add(KeptScalar.Of(Config.ShiftFactor ?? 0), KeptScalar.One);
    }

    private Tensor EncodeRows(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var moments = Encoder.call(pixels);
        return (QuantConv?.Consume(moments) ?? moments).MoveToOuterDisposeScope();
    }

    private Tensor DecodeRows(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return Decoder.call(PostQuantConv?.call(latents) ?? latents).MoveToOuterDisposeScope();
    }

    private Tensor Sliced(Tensor rows, Func<Tensor, Tensor> compute)
    {
        if (!UseSlicing || rows.shape[0] == 1)
            return compute(rows);
        using var scope = NewDisposeScope();
        return cat([.. Enumerable.Range(0, (int)rows.shape[0]).Select(i => compute(rows.narrow(0, i, 1)))], dim: 0)
            .MoveToOuterDisposeScope();
    }
}
