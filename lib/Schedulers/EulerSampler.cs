using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>Euler's method: the sample moves along the predicted velocity by the change of σ.</summary>
/// <param name="table">The noise levels.</param>
internal sealed class EulerSampler(SigmaTable table) : Sampler(table)
{
    protected override Tensor Advance(Tensor modelOutput, int call, Tensor sample, Tensor? noise) =>
        FlowMatchEulerDiscreteScheduler.Move(modelOutput, Sigmas[call + 1] - Sigmas[call], sample);
}
