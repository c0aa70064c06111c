using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// DPM-Solver++ over several steps (Lu et al. 2022, arXiv:2211.01095, algorithm 2, and its third order and SDE forms): the integral of the
/// data prediction over λ, expanded around the present level with differences of earlier predictions. After diffusers 58eb52c,
/// schedulers/scheduling_dpmsolver_multistep.py, with <c>prediction_type="flow_prediction"</c>.
/// </summary>
/// <param name="table">The noise levels.</param>
/// <param name="order">2 or 3.</param>
/// <param name="addsNoise">The SDE form.</param>
/// <param name="options">Details.</param>
internal sealed class DpmSolverSampler(SigmaTable table, int order, bool addsNoise, MultistepOptions options) : Sampler(table)
{
    // The reference's own number: from so many steps on, the last ones may be of full order.
    private const int ManySteps = 15;

    private readonly DataHistory _history = new(order);

    public override bool DrawsNoise => addsNoise;

    public override void Dispose()
    {
        _history.Dispose();
        base.Dispose();
    }

    protected override Tensor Advance(Tensor modelOutput, int call, Tensor sample, Tensor? noise)
    {
        _history.Add(Sigmas[call], Data(modelOutput, call, sample));
        double sigma = Sigmas[call], next = Sigmas[call + 1], alpha = 1 - next;
        var h = DataHistory.Lambda(next) - _history[0].Lambda;
        // Both forms are one in k·h: k is 1 without noise and 2 with it.
        var k = addsNoise ? 2 : 1;
        var gain = 1 - Math.Exp(-k * h);
        var (slope, bend) = Differences(h, OrderAt(call));
        var keep = next / sigma * (addsNoise ? Math.Exp(-h) : 1);
        var moved = WeightedSum.Of((keep, sample), (alpha * gain, _history[0].Data));
        if (slope is not null)
            moved = WeightedSum.Of((1, moved), (alpha * SlopeWeight(k * h, gain, bend is not null), slope));
        if (bend is not null)
            moved = WeightedSum.Of((1, moved), (alpha * BendWeight(k * h, gain), bend));
        return addsNoise ? WeightedSum.Of((1, moved), (next * Math.Sqrt(gain), noise!)) : moved;
    }

    private int OrderAt(int call)
    {
        var left = Timesteps.Count - call;
        var eases = options.LowerOrderFinal && Timesteps.Count < ManySteps;
        if (left == 1 && (options.EulerAtFinal || eases || Sigmas[^1] == 0))
            return 1;
        return Math.Min(left == 2 && eases ? 2 : order, _history.Count);
    }

    // The weights are those of exp(−kh) integrated with 1, λ and λ²; of second order, half the gain stands for the second ("midpoint").
    private double SlopeWeight(double kh, double gain, bool isThirdOrder) =>
        isThirdOrder || options.SolvesHeun ? 1 - (gain / kh) : gain / 2;

    private static double BendWeight(double kh, double gain) => ((gain - kh) / (kh * kh)) + 0.5;

    private (Tensor? Slope, Tensor? Bend) Differences(double h, int upTo)
    {
        if (upTo == 1)
            return (null, null);
        var (now, before) = (_history[0], _history[1]);
        var near = (now.Lambda - before.Lambda) / h;
        var slope = WeightedSum.Of((1 / near, now.Data), (-1 / near, before.Data));
        if (upTo == 2)
            return (slope, null);
        var earliest = _history[2];
        var far = (before.Lambda - earliest.Lambda) / h;
        var earlier = WeightedSum.Of((1 / far, before.Data), (-1 / far, earliest.Data));
        var change = slope.sub(earlier);
        return (WeightedSum.Of((1, slope), (near / (near + far), change)), WeightedSum.Of((1 / (near + far), change)));
    }
}
