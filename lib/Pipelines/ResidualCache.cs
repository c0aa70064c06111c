using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Runs the transformer's blocks in some of the steps only. In the others, what they add to the image tokens is extrapolated from the
/// steps before: the residual changes slowly from step to step (Selvaraju et al. 2024, "FORA", arXiv:2407.01425, keeps it; Liu et al. 2025,
/// "TaylorSeer", arXiv:2503.06923, extrapolates it). An approximation. Letters: B rows, C latent channels, S image tokens, D width.
/// </summary>
/// <param name="transformer">The model.</param>
/// <param name="interval">The blocks run in every interval-th step, 2 or more.</param>
/// <param name="order">0: the last residual as it is; 1: on the line through the last two, over the timestep.</param>
/// <param name="steps">Steps of the whole run.</param>
internal sealed class ResidualCache(SD3Transformer2DModel transformer, int interval, int order, int steps) : IDisposable
{
    /// <summary>Steps at the beginning in which the blocks always run: there the picture's layout is decided.</summary>
    public const int FirstSteps = 3;

    private readonly List<(double Timestep, Tensor Residual)> _kept = [];

    /// <summary>Whether the blocks run in a step: in the first ones, the last, and every interval-th between them.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="interval">1 or more.</param>
    /// <param name="steps">Steps of the whole run.</param>
    public static bool RunsBlocks(int step, int interval, int steps) =>
        step < FirstSteps || step == steps - 1 || (step - FirstSteps + 1) % interval == 0;

    /// <summary>Predicts the flow at one step.</summary>
    /// <param name="latents">Noisy latents, <c>[B, C, h, w]</c>.</param>
    /// <param name="time"><paramref name="timestep"/> for each row, <c>[B]</c>.</param>
    /// <param name="timestep">sigma × 1000, smaller from step to step.</param>
    /// <param name="step">From 0.</param>
    /// <param name="run">The whole forward from latents and time: the prediction and the residual.</param>
    /// <param name="pooled">Pooled text, <c>[B or 1, pooled width]</c>.</param>
    /// <returns><c>[B, C, h, w]</c>.</returns>
    public Tensor Predict(
        Tensor latents, Tensor time, double timestep, int step, Func<Tensor[], Tensor[]> run, Tensor pooled)
    {
        using var scope = NewDisposeScope();
        if (!RunsBlocks(step, interval, steps))
            return transformer.ForwardFromResidual(latents, time, pooled, At(timestep)).MoveToOuterDisposeScope();
        var outputs = run([latents, time]);
        // A captured step's output is overwritten by the next.
        Keep(timestep, outputs[1].clone());
        return outputs[0].MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _kept.ForEach(entry => entry.Residual.Dispose());
        _kept.Clear();
    }

    private void Keep(double timestep, Tensor residual)
    {
        _kept.Add((timestep, residual.DetachFromDisposeScope()));
        if (_kept.Count <= order + 1)
            return;
        _kept[0].Residual.Dispose();
        _kept.RemoveAt(0);
    }

    private Tensor At(double timestep)
    {
        var (last, residual) = _kept[^1];
        if (_kept.Count == 1)
            return residual.alias();
        var (before, earlier) = _kept[0];
        using var part = KeptScalar.Once((timestep - before) / (last - before));
        return earlier.add((residual - earlier).mul(part), KeptScalar.One);
    }
}
