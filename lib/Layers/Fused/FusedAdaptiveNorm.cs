using Dreambooth.Lab.Native;
using Dreambooth.Lab.Native.Cuda;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers.Fused;

/// <summary>
/// One call of <see cref="AdaptiveNorm"/> by its CUDA kernels, <c>adaptive_norm.cu</c>. Letters: B rows, S tokens, D width.
/// </summary>
internal sealed class FusedAdaptiveNorm
{
    private const int Pack = 8;
    private const int WarpsPerBlock = 4; // WARPS of the source
    private const int Warp = 32;
    private const int TokensPerStrip = 16;
    private const int MostNorms = 2; // pointers of the source's structures
    private const int WidestToken = 3072; // a thread keeps a 32nd part of it in registers, twice; SD3.5-large has 2432

    private readonly CudaKernels _kernels;
    private readonly Tensor _residual;
    private readonly Tensor? _gate;
    private readonly Tensor? _branch;
    private readonly (Tensor Shift, Tensor Scale)[] _modulations;
    // Sizes are kept: the tensors may be gone when the backward pass comes.
    private readonly long _stride;
    private readonly long _batch;
    private readonly long _tokens;
    private readonly long _width;
    private readonly int _branches;

    private FusedAdaptiveNorm(
        CudaKernels kernels, Tensor residual, Tensor? gate, Tensor? branch, (Tensor Shift, Tensor Scale)[] modulations)
    {
        (_kernels, _residual, _gate, _branch, _modulations) = (kernels, residual, gate, branch, modulations);
        (_batch, _tokens, _width) = (residual.shape[0], residual.shape[1], residual.shape[2]);
        (_stride, _branches) = ((gate ?? modulations[0].Shift).stride(0), branch is null ? 0 : 1);
    }

    private long Blocks => ((_batch * _tokens) + WarpsPerBlock - 1) / WarpsPerBlock;

    // The last members of Forward and Backward.
    private ulong[] Extent =>
        [(ulong)(_batch * _tokens), (ulong)_tokens, (ulong)_stride, BitConverter.DoubleToUInt64Bits(AdaptiveNorm.Epsilon)];

    /// <summary>Prepares the call; null where there are no kernels for these tensors.</summary>
    public static FusedAdaptiveNorm? Find(Tensor residual, Tensor? gate, Tensor? branch, (Tensor Shift, Tensor Scale)[] modulations)
    {
        if (residual.dim() != 3 || residual.numel() == 0 || modulations.Length > MostNorms || residual.shape[2] % Pack != 0
            || residual.shape[2] > WidestToken || !residual.is_contiguous()
            || (branch is not null && (branch.dtype != residual.dtype || !branch.is_contiguous())))
            return null;
        Tensor[] vectors = [.. Vectors(gate, modulations)];
        var stride = vectors[0].stride(0);
        if (stride % Pack != 0
            || Array.Exists(
                vectors, vector => vector.dtype != residual.dtype || vector.shape[0] != residual.shape[0] || vector.stride(1) != 1
                    || vector.stride(0) != stride))
            return null;
        var kernels = CudaKernels.Of(
            residual.device, "adaptive_norm", residual.dtype, ("WIDTH", residual.shape[2]), ("BRANCH", branch is null ? 0 : 1),
            ("NORMS", modulations.Length));
        return kernels is null ? null : new FusedAdaptiveNorm(kernels, residual, gate, branch, modulations);
    }

    /// <summary>The sum where there is a branch, then the modulated tensors; each <c>[B, S, D]</c>.</summary>
    public Tensor[] Run()
    {
        Tensor[] inputs = [_residual, .. _branch is null ? Array.Empty<Tensor>() : [_branch], .. Vectors(_gate, _modulations)];
        var differentiable = is_grad_enabled() && Array.Exists(inputs, input => input.requires_grad);
        using var noGradients = no_grad();
        Tensor[] outputs = [.. Enumerable.Range(0, _branches + _modulations.Length).Select(_ => empty_like(_residual))];
        _kernels.Launch("forward", (Blocks, 1), WarpsPerBlock * Warp, [
            .. Pointers(
                [_residual, _branch, _gate, .. Two(_modulations.Select(pair => pair.Shift)),
                    .. Two(_modulations.Select(pair => pair.Scale)), _branch is null ? null : outputs[0], .. Two(outputs.Skip(_branches))]),
            .. Extent]);
        if (!differentiable)
            return outputs;
        var wantsVectors = Array.Exists(inputs[(1 + _branches)..], vector => vector.requires_grad);
        var x = (_branch is null ? _residual : outputs[0]).detach();
        Tensor[] vectors = [.. Vectors(_gate, _modulations).Select(vector => vector.detach())];
        var branch = wantsVectors ? _branch?.detach() : null;
        return GradientNode.Join(
            inputs, outputs, [x, .. vectors, .. branch is null ? Array.Empty<Tensor>() : [branch]],
            gradients => Backward(x, branch, vectors, gradients, wantsVectors));
    }

    private Tensor?[] Backward(Tensor x, Tensor? branch, Tensor[] vectors, Tensor?[] gradients, bool wantsVectors)
    {
        gradients = Array.ConvertAll(gradients, gradient => gradient?.to(x.dtype).contiguous());
        var throughSum = _branches == 1 ? gradients[0] : null;
        var ofOutputs = gradients.Skip(_branches).ToArray();
        var gate = _branches == 1 ? vectors[0] : null;
        var scales = Enumerable.Range(0, ofOutputs.Length).Select(i => vectors[_branches + (2 * i) + 1]);
        // Without a norm the sum's gradient is passed on unchanged.
        var ofX = ofOutputs.Length > 0 ? empty_like(x) : throughSum ?? zeros_like(x);
        var ofBranch = _branches == 1 ? empty_like(x) : null;
        using var moments = wantsVectors && ofOutputs.Length > 0 ? empty([_batch * _tokens, 2], ScalarType.Float32, x.device) : null;
        _kernels.Launch(
            "backward", (Blocks, 1), WarpsPerBlock * Warp,
            [.. Pointers([x, throughSum, .. Two(ofOutputs), gate, .. Two(scales), ofX, ofBranch, moments]), .. Extent]);
        var ofVectors = wantsVectors ? VectorGradients(x, branch, ofX, ofOutputs, moments) : new Tensor?[vectors.Length];
        return [ofX, .. ofBranch is null ? Array.Empty<Tensor>() : [ofBranch], .. ofVectors];
    }

    private Tensor[] VectorGradients(Tensor x, Tensor? branch, Tensor ofX, Tensor?[] ofOutputs, Tensor? moments)
    {
        var strips = (_tokens + TokensPerStrip - 1) / TokensPerStrip;
        var sums = _branches + (2 * ofOutputs.Length);
        using var partial = empty([_batch, strips, sums, _width], ScalarType.Float32, x.device);
        _kernels.Launch(
            "columns", (strips, _batch), (int)(_width / Pack),
            [.. Pointers([x, branch, ofX, .. Two(ofOutputs), moments, partial]), (ulong)_tokens, TokensPerStrip]);
        using var whole = partial.sum(1).to(x.dtype);
        return [.. whole.unbind(1)];
    }

    private static IEnumerable<Tensor> Vectors(Tensor? gate, (Tensor Shift, Tensor Scale)[] modulations) =>
        [.. gate is null ? Array.Empty<Tensor>() : [gate], .. modulations.SelectMany(pair => new[] { pair.Shift, pair.Scale })];

    private static IEnumerable<Tensor?> Two(IEnumerable<Tensor?> tensors) => tensors.Append(null).Append(null).Take(2);

    private static IEnumerable<ulong> Pointers(Tensor?[] tensors) => tensors.Select(CudaKernels.Pointer);
}
