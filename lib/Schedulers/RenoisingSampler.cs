using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// The predicted data, mixed with new noise at the next level: (1 − σ')·data + σ'·noise. The reference has it twice, as
/// <c>FlowMatchLCMScheduler</c> and as <c>stochastic_sampling</c> of its Euler scheduler (diffusers 58eb52c).
/// </summary>
/// <param name="table">The noise levels.</param>
internal sealed class RenoisingSampler(SigmaTable table) : Sampler(table)
{
    public override bool DrawsNoise => true;

    protected override Tensor Advance(Tensor modelOutput, int call, Tensor sample, Tensor? noise) =>
        WeightedSum.Of((1f - Sigmas[call + 1], Data(modelOutput, call, sample)), (Sigmas[call + 1], noise!));
}
