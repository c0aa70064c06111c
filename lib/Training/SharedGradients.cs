using Dreambooth.Lab.Native;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// What ranks that train together exchange in an optimizer step, in one sum: the gradients of all that is trained, the losses, and how many
/// pictures were seen and ranks cancelled.
/// </summary>
internal sealed class SharedGradients : IDisposable
{
    private const int Losses = 3, Counts = 2;

    private readonly ICollective _collective;
    private readonly Tensor _gradients;
    private readonly Tensor _buffer;

    /// <summary>Prepares the exchange.</summary>
    /// <param name="collective">The ranks.</param>
    /// <param name="gradients">float32, <c>[N]</c>, where each rank's add up.</param>
    public SharedGradients(ICollective collective, Tensor gradients)
    {
        (_collective, _gradients) = (collective, gradients);
        _buffer = zeros([gradients.numel() + Losses + Counts], ScalarType.Float32, gradients.device).DetachFromDisposeScope();
    }

    /// <summary>Replaces gradients and losses by their sums over all ranks.</summary>
    /// <param name="losses"><c>[3]</c>.</param>
    /// <param name="images">Pictures that this rank saw.</param>
    /// <param name="cancelled">Whether this rank is to end.</param>
    /// <returns><c>[2]</c>: pictures and cancelled ranks; the first of what <see cref="Keeps"/> is given.</returns>
    /// <exception cref="Foundation.RankFailureException">A rank has failed.</exception>
    public Tensor Sum(Tensor losses, long images, bool cancelled)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var length = _gradients.numel();
        (Tensor Own, Tensor Shared)[] parts = [(_gradients, _buffer.narrow(0, 0, length)), (losses, _buffer.narrow(0, length, Losses))];
        foreach (var (own, shared) in parts)
            shared.copy_(own);

        // Numbers that a kernel is started with: a copy from the host would wait for the device.
        var counts = _buffer.narrow(0, length + Losses, Counts);
        counts[0].fill_(KeptScalar.Of(images));
        counts[1].fill_(KeptScalar.Of(cancelled ? 1 : 0));
        _collective.Sum(_buffer);
        foreach (var (own, shared) in parts)
            own.copy_(shared);
        return counts.clone().MoveToOuterDisposeScope();
    }

    /// <summary>Looks at the step's figures, for which the host has waited.</summary>
    /// <param name="figures">Counts, then the others; afterwards the others.</param>
    /// <param name="images">Afterwards the pictures of all ranks.</param>
    /// <returns>Whether the step counts: false where a rank was cancelled or has failed.</returns>
    public bool Keeps(ref float[] figures, ref long images)
    {
        var (seen, cancelled) = ((long)figures[0], figures[1] > 0);
        (images, figures) = (seen, figures[Counts..]);
        return _collective.Settle() is null && !cancelled;
    }

    /// <summary>Frees the buffer.</summary>
    public void Dispose() => _buffer.Dispose();
}
