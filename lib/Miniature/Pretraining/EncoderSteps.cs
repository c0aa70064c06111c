using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>The steps that both encoders' trainings share: gradient, optimizer, averaged weights, reports.</summary>
/// <param name="name">What is trained.</param>
/// <param name="recipe">Rates.</param>
/// <param name="options">Where and how long.</param>
/// <param name="weights">What is trained.</param>
internal sealed class EncoderSteps(string name, EncoderRecipe recipe, PretrainingOptions options, FlatParameters weights)
{
    private readonly TrainingCurve _curve = new(Path.Combine(options.Output, $"{name}-curve.json"));

    /// <summary>Trains until the time or the steps are over.</summary>
    /// <param name="loss">The loss of a new batch, a tensor of rank 0.</param>
    /// <param name="measure">Figures of held-out pictures, by the averaged weights.</param>
    /// <param name="save">Writes the averaged weights; called with every report.</param>
    /// <returns>The last figures, with steps, minutes and the loss.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled before the first step.</exception>
    public IReadOnlyDictionary<string, double> Run(
        Func<Tensor> loss, Func<IReadOnlyList<(string Name, double Value)>> measure, Action save)
    {
        using var optimizer = new FlatAdamW(
            weights.Values, weights.Gradients, [new ParameterGroup(0, weights.Length, recipe.LearningRate, recipe.WeightDecay)]);
        var box = options.OpenTimeBox(TrainingProgress.Begin);
        options.Log(FormattableString.Invariant($"{name}: {weights.Count:N0} parameters"));
        var (step, reported, mean) = (0L, 0.0, double.NaN);
        for (box.Look(); !box.IsOver(step) && !options.Cancellation.IsCancellationRequested; box.Look())
        {
            using var scope = NewDisposeScope();
            weights.ZeroGradients();
            var value = loss();
            value.backward();
            weights.CollectGradients();
            GradientClipping.Clip(weights.Gradients, recipe.MaxGradNorm);
            optimizer.Step(box.RateFactor(step, recipe.WarmupSteps, 0.02));
            weights.Average(Math.Min(recipe.EmaDecay, (step + 1.0) / (step + 10.0)));
            step++;
            var now = value.item<float>();
            if (!float.IsFinite(now))
                throw new NonFiniteException($"The loss is {now} at step {step}. Start again with a lower rate.");
            mean = double.IsNaN(mean) ? now : (0.95 * mean) + (0.05 * now);
            if ((box.Minutes - reported) * 60 < options.ReportSeconds)
                continue;
            reported = box.Minutes;
            Report(step, box.Minutes, mean, measure);
            save();
        }

        if (step == 0)
            options.Cancellation.ThrowIfCancellationRequested();
        var last = Report(step, box.Minutes, mean, measure);
        save();
        return last.ToDictionary(figure => figure.Name, figure => figure.Value);
    }

    private (string Name, double Value)[] Report(
        long step, double minutes, double loss, Func<IReadOnlyList<(string Name, double Value)>> measure)
    {
        (string, double)[] figures = [("step", step), ("minutes", minutes), ("loss", loss), .. weights.WithAverages(measure)];
        _curve.Add(figures);
        options.Log(TrainingCurve.Line(name, figures));
        return figures;
    }
}
