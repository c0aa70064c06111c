using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Queries, keys and values of the image's tokens and, behind them, of the text's, in the form that attention reads; queries and keys RMS-normalised per head.
/// On CUDA that is one pass over memory, forward and backward. Letters: B rows, S image tokens, L text tokens, D width = H heads × W.
/// </summary>
internal sealed class JointHeads
{
    private const int Streams = 3;
    private const int Pack = 8;
    private const int Threads = 256;

    private readonly Tensor?[] _inputs; // the image's queries, keys and values, then the text's or nulls
    private readonly RMSNorm?[] _norms;

    // Sizes are kept: the tensors may be gone when the backward pass comes.
    private readonly long _batch;
    private readonly long _imageTokens;
    private readonly long _textTokens;
    private readonly long _heads;
    private readonly long _width;

    /// <summary>Takes the projections.</summary>
    /// <param name="heads">H.</param>
    /// <param name="image">Queries, keys and values of the image, each <c>[B, S, D]</c>.</param>
    /// <param name="imageNorms">The norms of the image's queries and keys, or nulls.</param>
    /// <param name="text">Those of the text, each <c>[B, L, D]</c>, or null.</param>
    /// <param name="textNorms">The norms of the text's queries and keys, or nulls.</param>
    public JointHeads(long heads, Tensor[] image, RMSNorm?[] imageNorms, Tensor[]? text, RMSNorm?[] textNorms)
    {
        (_batch, _imageTokens, _textTokens, _heads, _width) = (image[0].shape[0], image[0].shape[1], text?[0].shape[1] ?? 0, heads, image[0].shape[2] / heads);
        _inputs = [.. image, .. _textTokens > 0 ? text! : new Tensor?[Streams]];
        _norms = [imageNorms[0], imageNorms[1], null, textNorms[0], textNorms[1], null];
    }

    // The longest stream's threads, a pack each.
    private long Blocks => ((_batch * Math.Max(_imageTokens, _textTokens) * _heads * _width / Pack) + Threads - 1) / Threads;

    private int Used => _textTokens == 0 ? Streams : 2 * Streams;

    /// <summary>Joins.</summary>
    /// <returns>Queries, keys and values, each <c>[B, S + L, H, W]</c>.</returns>
    public Tensor[] Run() => FindKernels() is { } kernels ? RunFused(kernels) : [.. Enumerable.Range(0, Streams).Select(RunPlainly)];

    private Tensor RunPlainly(int stream)
    {
        using var scope = NewDisposeScope();
        Tensor Heads(int input)
        {
            var heads = _inputs[input]!.view(_batch, -1, _heads, _width);
            return _norms[input]?.call(heads) ?? heads;
        }

        var image = Heads(stream);
        return (_textTokens == 0 ? image : cat([image, Heads(Streams + stream)], dim: 1)).MoveToOuterDisposeScope();
    }

    private CudaKernels? FindKernels()
    {
        var first = _inputs[0]!;
        // A head is a power of two of packs, up to a warp's.
        return first.device_type != DeviceType.CUDA || first.numel() == 0 || _width is not (8 or 16 or 32 or 64 or 128 or 256)
            || Array.Exists(_inputs, input => input is not null && (input.dtype != first.dtype || !input.is_contiguous()))
            || Array.Exists(_norms, norm => norm is not null && (norm.Weight.dtype != first.dtype || norm.Weight.requires_grad))
            ? null
            : CudaKernels.Of(first.device, "joint_heads", first.dtype, ("WIDTH", _width));
    }

    private Tensor[] RunFused(CudaKernels kernels)
    {
        Tensor[] inputs = [.. _inputs.OfType<Tensor>()];
        var differentiable = is_grad_enabled() && Array.Exists(inputs, input => input.requires_grad);
        using var noGradients = no_grad();
        Tensor[] outputs = [.. Enumerable.Range(0, Streams).Select(_ => empty([_batch, _imageTokens + _textTokens, _heads, _width], inputs[0].dtype, inputs[0].device))];
        kernels.Launch("forward", (Blocks, Used), Threads, Slots([.. _inputs, .. Weights, .. outputs]));
        if (!differentiable)
            return outputs;
        // What is not normalised is not read again.
        Tensor?[] kept = [.. _inputs.Select((input, i) => _norms[i] is null ? null : input?.detach())];
        return GradientNode.Join(inputs, outputs, [.. kept.OfType<Tensor>()], gradients => Backward(kernels, kept, gradients));
    }

    private Tensor?[] Backward(CudaKernels kernels, Tensor?[] inputs, Tensor?[] gradients)
    {
        gradients = Array.ConvertAll(gradients, gradient => gradient?.contiguous());
        var some = gradients.OfType<Tensor>().First();
        Tensor?[] results = [.. Enumerable.Range(0, inputs.Length).Select(i =>
            i >= Used || gradients[i % Streams] is null ? null : empty([_batch, i < Streams ? _imageTokens : _textTokens, _heads * _width], some.dtype, some.device))];
        kernels.Launch("backward", (Blocks, Used), Threads, Slots([.. inputs, .. Weights, .. gradients, .. results]));
        return results[..Used];
    }

    private IEnumerable<Tensor?> Weights => _norms.Select(norm => norm?.Weight);

    private ulong[] Slots(IEnumerable<Tensor?> tensors) =>
    [
        .. tensors.Select(CudaKernels.Pointer), (ulong)_batch, (ulong)_imageTokens, (ulong)_textTokens, (ulong)_heads, BitConverter.DoubleToUInt64Bits(_norms.OfType<RMSNorm>().FirstOrDefault()?.Epsilon ?? 0),
    ];
}
