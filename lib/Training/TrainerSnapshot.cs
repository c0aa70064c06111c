using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>What a trainer continues from, in the machine's memory: the LoRA's weights and the optimizer's state after a step.</summary>
/// <param name="Step">The step.</param>
/// <param name="Parameters">The weights to keep, <c>[N]</c>.</param>
/// <param name="State">The optimizer's state, as in a checkpoint.</param>
internal sealed record TrainerSnapshot(int Step, Tensor Parameters, IReadOnlyDictionary<string, Tensor> State) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Parameters.Dispose();
        foreach (var values in State.Values)
            values.Dispose();
    }
}
