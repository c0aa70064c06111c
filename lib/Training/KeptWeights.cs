using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// What the adapter holds between two steps: the weights to keep, which is what pictures are generated with and what is saved. Where they
/// are an average, a step begins with the weights that are trained and ends with the average.
/// </summary>
internal sealed class KeptWeights(LoraAdapter adapter, FlatOptimizer optimizer, EmaWeights? ema) : IDisposable
{
    /// <summary>The name of the trained weights beside the optimizer's state in a checkpoint, whose LoRA is the weights to keep.</summary>
    public const string TrainedKey = "trained";

    private Tensor? _trained;
    private bool _isAverage;

    /// <summary>Whether the weights to keep are an average.</summary>
    public bool Averages => ema is not null || optimizer.HasEvaluationWeights;

    /// <summary>The weights that are trained, <c>[N]</c>, where the adapter holds an average; else null.</summary>
    public Tensor? Trained => _isAverage ? _trained : null;

    /// <summary>Puts the weights that are trained into the adapter.</summary>
    public void Train()
    {
        if (!_isAverage)
            return;
        using var noGradients = no_grad();
        adapter.Parameters.copy_(_trained!);
        adapter.RefreshComputeCopy();
        _isAverage = false;
    }

    /// <summary>Takes a step that is kept into the average.</summary>
    /// <param name="step">The step, from 1.</param>
    public void Update(long step) => ema?.Update(adapter.Parameters, step);

    /// <summary>Puts the weights to keep into the adapter, which holds those that are trained.</summary>
    public void Show()
    {
        if (Averages && !_isAverage)
        {
            using var noGradients = no_grad();
            using var scope = NewDisposeScope();
            var average = ema?.Average ?? optimizer.EvaluationWeights();
            Hold(adapter.Parameters);
            adapter.Parameters.copy_(average);
            _isAverage = true;
        }

        adapter.RefreshComputeCopy();
    }

    /// <summary>Goes on from a checkpoint, of which the adapter holds the LoRA.</summary>
    /// <param name="trained">The weights that were trained.</param>
    public void GoOnWith(Tensor trained)
    {
        using var noGradients = no_grad();
        Hold(trained);
        ema?.GoOnFrom(adapter.Parameters);
        _isAverage = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trained?.Dispose();
        ema?.Dispose();
    }

    private void Hold(Tensor trained)
    {
        _trained ??= empty_like(adapter.Parameters).DetachFromDisposeScope();
        _trained.copy_(trained);
    }
}
