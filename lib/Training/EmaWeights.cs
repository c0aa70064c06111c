using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>A moving average of flat parameters, in memory of its own.</summary>
internal sealed class EmaWeights : IDisposable
{
    private readonly EmaConfig _config;

    /// <summary>Begins with the parameters as they are.</summary>
    /// <param name="parameters">All parameters, <c>[N]</c>.</param>
    /// <param name="config">How the average is made.</param>
    public EmaWeights(Tensor parameters, EmaConfig config)
    {
        config.Validate();
        _config = config;
        using var noGradients = no_grad();
        Average = parameters.clone().DetachFromDisposeScope();
    }

    /// <summary>The average, <c>[N]</c>; this object's own.</summary>
    public Tensor Average { get; }

    /// <summary>Takes the parameters of a step into the average; nothing waits for the device.</summary>
    /// <param name="parameters">The parameters after the step, <c>[N]</c>.</param>
    /// <param name="step">The step, from 1.</param>
    public void Update(Tensor parameters, long step)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var share = KeptScalar.Once(_config.DecayAt(step) - 1);
        Average.add_(Average.add(parameters, KeptScalar.Of(-1)), share);
    }

    /// <summary>Goes on from a checkpoint's average.</summary>
    public void GoOnFrom(Tensor average)
    {
        using var noGradients = no_grad();
        Average.copy_(average);
    }

    /// <inheritdoc/>
    public void Dispose() => Average.Dispose();
}
