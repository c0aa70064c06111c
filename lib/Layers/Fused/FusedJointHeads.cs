using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers.Fused;

/// <summary><see cref="JointHeads"/> in one pass over memory, forward and backward, by its CUDA kernels, <c>joint_heads.cu</c>.</summary>
internal sealed class FusedJointHeads
{
    private const int Streams = 3;
    private const int Pack = 8;
    private const int Threads = 256;

    private readonly CudaKernels _kernels;
    private readonly Tensor?[] _inputs; // the image's queries, keys and values, then the text's or nulls
    private readonly RMSNorm?[] _norms;

    // Sizes are kept: the tensors may be gone when the backward pass comes.
    private readonly long _batch;
    private readonly long _imageTokens;
    private readonly long _textTokens;
    private readonly long _heads;
    private readonly long _width;

    private FusedJointHeads(CudaKernels kernels, long heads, Tensor[] image, Tensor?[] inputs, RMSNorm?[] norms)
    {
        (_kernels, _inputs, _norms) = (kernels, inputs, norms);
        (_batch, _imageTokens, _textTokens) = (image[0].shape[0], image[0].shape[1], inputs[Streams]?.shape[1] ?? 0);
        (_heads, _width) = (heads, image[0].shape[2] / heads);
    }

    // The longest stream's threads, a pack each.
    private long Blocks => ((_batch * Math.Max(_imageTokens, _textTokens) * _heads * _width / Pack) + Threads - 1) / Threads;

    private int Used => _textTokens == 0 ? Streams : 2 * Streams;

    /// <summary>
    /// Prepares the call, of the arguments of <see cref="JointHeads.Join"/>; null where there are no kernels for these tensors.
    /// </summary>
    public static FusedJointHeads? Find(long heads, Tensor[] image, RMSNorm?[] imageNorms, Tensor[]? text, RMSNorm?[] textNorms)
    {
        var first = image[0];
        var width = first.shape[2] / heads;
        Tensor?[] inputs = [.. image, .. text is { } some && some[0].shape[1] > 0 ? some : new Tensor?[Streams]];
        RMSNorm?[] norms = [imageNorms[0], imageNorms[1], null, textNorms[0], textNorms[1], null];
        // A head is a power of two of packs, up to a warp's.
        return first.device_type != DeviceType.CUDA || first.numel() == 0 || width is not (8 or 16 or 32 or 64 or 128 or 256)
            || Array.Exists(inputs, input => input is not null && (input.dtype != first.dtype || !input.is_contiguous()))
            || Array.Exists(norms, norm => norm is not null && (norm.Weight.dtype != first.dtype || norm.Weight.requires_grad))
            || CudaKernels.Of(first.device, "joint_heads", first.dtype, ("WIDTH", width)) is not { } kernels
            ? null
            : new FusedJointHeads(kernels, heads, image, inputs, norms);
    }

    /// <summary>Joins.</summary>
    /// <returns>Queries, keys and values, each <c>[B, S + L, H, W]</c>.</returns>
    public Tensor[] Run()
    {
        Tensor[] inputs = [.. _inputs.OfType<Tensor>()];
        var differentiable = is_grad_enabled() && Array.Exists(inputs, input => input.requires_grad);
        using var noGradients = no_grad();
        Tensor[] outputs =
            [.. Enumerable.Range(0, Streams)
                .Select(_ => empty([_batch, _imageTokens + _textTokens, _heads, _width], inputs[0].dtype, inputs[0].device))];
        _kernels.Launch("forward", (Blocks, Used), Threads, Slots([.. _inputs, .. Weights, .. outputs]));
        if (!differentiable)
            return outputs;
        // What is not normalised is not read again.
        Tensor?[] kept = [.. _inputs.Select((input, i) => _norms[i] is null ? null : input?.detach())];
        return GradientNode.Join(inputs, outputs, [.. kept.OfType<Tensor>()], gradients => Backward(kept, gradients));
    }

    private Tensor?[] Backward(Tensor?[] inputs, Tensor?[] gradients)
    {
        gradients = Array.ConvertAll(gradients, gradient => gradient?.contiguous());
        var some = gradients.OfType<Tensor>().First();
        Tensor?[] results = [.. Enumerable.Range(0, inputs.Length).Select(i =>
            i >= Used || gradients[i % Streams] is null
                ? null
                : empty([_batch, i < Streams ? _imageTokens : _textTokens, _heads * _width], some.dtype, some.device))];
        _kernels.Launch("backward", (Blocks, Used), Threads, Slots([.. inputs, .. Weights, .. gradients, .. results]));
        return results[..Used];
    }

    private IEnumerable<Tensor?> Weights => _norms.Select(norm => norm?.Weight);

    private ulong[] Slots(IEnumerable<Tensor?> tensors) =>
    [
        .. tensors.Select(CudaKernels.Pointer), (ulong)_batch, (ulong)_imageTokens, (ulong)_textTokens, (ulong)_heads,
        BitConverter.DoubleToUInt64Bits(_norms.OfType<RMSNorm>().FirstOrDefault()?.Epsilon ?? 0),
    ];
}
