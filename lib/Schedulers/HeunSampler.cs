using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// Heun's method: an Euler step, a prediction at its end, and the step again with the mean of both velocities. The step to σ = 0 is
/// Euler's alone. Calls 0, 1–2, 3–4, … are at the same level; a run may begin at call 0 or an even one, which is the first of a step.
/// After diffusers 58eb52c, schedulers/scheduling_flow_match_heun_discrete.py.
/// </summary>
/// <param name="table">The noise levels, each but the first and last twice (<see cref="SigmaTable.Doubled"/>).</param>
internal sealed class HeunSampler(SigmaTable table) : Sampler(table)
{
    private (Tensor Sample, Tensor Velocity)? _begun;

    public override void Dispose()
    {
        Forget();
        base.Dispose();
    }

    protected override Tensor Advance(Tensor modelOutput, int call, Tensor sample, Tensor? noise)
    {
        if (_begun is not var (start, first))
        {
            var next = WeightedSum.Of((1, sample), (Sigmas[call + 1] - Sigmas[call], modelOutput));
            if (call + 1 < Timesteps.Count)
                _begun = (sample.clone().DetachFromDisposeScope(), modelOutput.clone().DetachFromDisposeScope());
            return next;
        }

        var half = (Sigmas[call] - Sigmas[call - 1]) / 2;
        var moved = WeightedSum.Of((1, start), (half, first), (half, modelOutput));
        Forget();
        return moved;
    }

    private void Forget()
    {
        _begun?.Sample.Dispose();
        _begun?.Velocity.Dispose();
        _begun = null;
    }
}
