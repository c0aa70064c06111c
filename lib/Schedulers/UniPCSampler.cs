using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// UniPC (Zhao et al. 2023, arXiv:2302.04867) on predictions of the data: each prediction first corrects the step that led to it, then
/// predicts the next. After diffusers 58eb52c, schedulers/scheduling_unipc_multistep.py, with <c>prediction_type="flow_prediction"</c>.
/// </summary>
/// <param name="table">The noise levels.</param>
/// <param name="order">2 or 3.</param>
/// <param name="options">Details.</param>
internal sealed class UniPCSampler(SigmaTable table, int order, MultistepOptions options) : Sampler(table)
{
    private readonly DataHistory _history = new(order);
    private (Tensor Sample, int Order)? _last;

    public override void Dispose()
    {
        _history.Dispose();
        _last?.Sample.Dispose();
        base.Dispose();
    }

    protected override Tensor Advance(Tensor modelOutput, int call, Tensor sample, Tensor? noise)
    {
        var data = Data(modelOutput, call, sample);
        if (_last is var (last, lastOrder))
        {
            if (!options.DisabledCorrections.Contains(call - 1))
                sample = Moved(last, call - 1, lastOrder, data);
            last.Dispose();
        }

        _history.Add(Sigmas[call], data);
        var upTo = options.LowerOrderFinal ? Math.Min(order, Timesteps.Count - call) : order;
        upTo = Math.Min(upTo, _history.Count);
        _last = (sample.clone().DetachFromDisposeScope(), upTo);
        return Moved(sample, call, upTo, null);
    }

    /// <summary>From the level of one call to the next.</summary>
    /// <param name="sample">The sample at the call.</param>
    /// <param name="call">The call; the newest data is its own.</param>
    /// <param name="upTo">The order.</param>
    /// <param name="ahead">The data predicted at the next level, for the corrector; null for the predictor.</param>
    private Tensor Moved(Tensor sample, int call, int upTo, Tensor? ahead)
    {
        double sigma = Sigmas[call], next = Sigmas[call + 1], alpha = 1 - next;
        var (lambda, data) = _history[0];
        var h = DataHistory.Lambda(next) - lambda;
        var decay = Math.Exp(-h) - 1;
        var scale = options.UsesBh1 ? -h : decay;
        var places = Enumerable.Range(1, upTo - 1).Select(age => (_history[age].Lambda - lambda) / h).ToList();
        var weights = Weights([.. places, 1.0], h, scale, isPredictor: ahead is null);
        var moved = WeightedSum.Of((next / sigma, sample), (-alpha * decay, data));
        for (var i = 0; i < weights.Length; i++)
        {
            var (place, other) = i < places.Count ? (places[i], _history[i + 1].Data) : (1, ahead!);
            var weight = -alpha * scale * weights[i] / place;
            moved = WeightedSum.Of((1, moved), (weight, other), (-weight, data));
        }

        return moved;
    }

    // What the differences at the places count for: the solution of Σ weight · place^i = b_i. The lowest orders have it in closed form.
    private static double[] Weights(double[] places, double h, double scale, bool isPredictor)
    {
        var count = isPredictor ? places.Length - 1 : places.Length;
        if (count == 0)
            return [];
        if (count == 1)
            return [0.5];
        var right = new double[count];
        double phi = ((Math.Exp(-h) - 1) / -h) - 1, factorial = 1;
        for (var i = 0; i < count; i++)
        {
            right[i] = phi * factorial / scale;
            factorial *= i + 2;
            phi = (phi / -h) - (1 / factorial);
        }

        var rows = Enumerable.Range(0, count).Select(power => places[..count].Select(place => Math.Pow(place, power)).ToArray()).ToArray();
        return Solved(rows, right);
    }

    // Gaussian elimination with the largest pivot; two or three equations.
    private static double[] Solved(double[][] rows, double[] right)
    {
        for (var column = 0; column < right.Length; column++)
        {
            var pivot = Enumerable.Range(column, right.Length - column).MaxBy(row => Math.Abs(rows[row][column]));
            (rows[column], rows[pivot]) = (rows[pivot], rows[column]);
            (right[column], right[pivot]) = (right[pivot], right[column]);
            for (var row = column + 1; row < right.Length; row++)
            {
                var factor = rows[row][column] / rows[column][column];
                for (var i = column; i < right.Length; i++)
                    rows[row][i] -= factor * rows[column][i];
                right[row] -= factor * right[column];
            }
        }

        for (var row = right.Length - 1; row >= 0; row--)
        {
            for (var i = row + 1; i < right.Length; i++)
                right[row] -= rows[row][i] * right[i];
            right[row] /= rows[row][row];
        }

        return right;
    }
}
