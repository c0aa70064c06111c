namespace Dreambooth.Lab.Schedulers;

/// <summary>
/// The noise levels of a run and what the model is told of them, computed in float64 and rounded to float32 at the end, as the reference
/// does (diffusers 58eb52c, <c>set_timesteps</c> of the schedulers).
/// </summary>
/// <param name="Timesteps">The timestep of every call.</param>
/// <param name="Sigmas">The level of every call and the last one.</param>
internal sealed record SigmaTable(float[] Timesteps, float[] Sigmas)
{
    private const double KarrasRho = 7;

    // Whatever begins at σ = 1 has λ = −∞; the reference moves UniPC's first level by so much.
    private const double AwayFromNoise = 1e-6;

    /// <summary>The table of Euler's and Heun's methods and of those that mix in new noise.</summary>
    /// <param name="config">How levels are spaced.</param>
    /// <param name="model">The model's schedule.</param>
    /// <param name="steps">Steps, from 1.</param>
    /// <param name="patches">Patches of the picture, for <see cref="SigmaSchedule.Dynamic"/>.</param>
    public static SigmaTable Flow(SamplerConfig config, FlowMatchEulerDiscreteSchedulerConfig model, int steps, long patches)
    {
        // The ends are those of the training table, shifted, and the shift is applied once more: as the reference does.
        var count = model.NumTrainTimesteps;
        double first = EndOf(config, model, 1), last = EndOf(config, model, 1f / count);
        var shift = Shift(config, model, patches);
        var sigmas = Enumerable.Range(0, steps).Select(i => shift(Spaced(first * count, last * count, i, steps) / count)).ToArray();
        return Of(Respaced(config.Sigmas, Stretched(config, sigmas)), 0, count);
    }

    /// <summary>The table of DPM-Solver++: it begins a little below 1.</summary>
    /// <inheritdoc cref="Flow"/>
    public static SigmaTable DpmSolver(SamplerConfig config, FlowMatchEulerDiscreteSchedulerConfig model, int steps, long patches)
    {
        var count = model.NumTrainTimesteps;
        var shift = config.Sigmas == SigmaSchedule.Dynamic ? Math.Exp(config.Mu ?? SamplerConfig.MuOf(patches)) : model.Shift;
        var sigmas = Enumerable.Range(0, steps).Select(i => 1 - Spaced(1, 1.0 / count, steps - i, steps + 1))
            .Select(sigma => shift * sigma / (1 + ((shift - 1) * sigma))).ToArray();
        var last = config.Multistep.UsesDiffusionLevels ? DiffusionLevel(0) : 0;
        return Of(Respaced(config.Sigmas, Stretched(config, sigmas)), last, count, config.TruncateTimesteps);
    }

    /// <summary>The table of UniPC.</summary>
    /// <inheritdoc cref="Flow"/>
    public static SigmaTable UniPC(SamplerConfig config, FlowMatchEulerDiscreteSchedulerConfig model, int steps, long patches)
    {
        var count = model.NumTrainTimesteps;
        if (config is { Sigmas: SigmaSchedule.Karras, Multistep.UsesDiffusionLevels: true })
        {
            double[] ends = [DiffusionLevel(999), DiffusionLevel(0)];
            return Of([.. Karras(ends, steps).Select(level => level / (level + 1))], 0, count, config.TruncateTimesteps);
        }

        var shift = Shift(config, model, patches);
        var sigmas = Enumerable.Range(0, steps).Select(i => shift(Spaced(1, 1.0 / count, i, steps + 1))).ToArray();
        sigmas = Respaced(config.Sigmas, Stretched(config, sigmas));
        if (Math.Abs(sigmas[0] - 1) < AwayFromNoise)
            sigmas[0] -= AwayFromNoise;
        return Of(sigmas, 0, count, config.TruncateTimesteps);
    }

    /// <summary>The same with two calls at every level but the first and last, for Heun's method.</summary>
    public SigmaTable Doubled() => new(
        [Timesteps[0], .. Timesteps[1..].SelectMany(value => new[] { value, value })],
        [Sigmas[0], .. Sigmas[1..^1].SelectMany(value => new[] { value, value }), Sigmas[^1]]);

    private static SigmaTable Of(double[] sigmas, double last, int count, bool truncate = false)
    {
        float[] rounded = [.. sigmas.Select(sigma => (float)sigma)];
        return new SigmaTable(
            truncate ? [.. sigmas.Select(sigma => (float)Math.Truncate(sigma * count))] : [.. rounded.Select(sigma => sigma * count)],
            [.. rounded, (float)last]);
    }

    // An end of the training table, in float32.
    private static double EndOf(SamplerConfig config, FlowMatchEulerDiscreteSchedulerConfig model, float sigma) =>
        config.Sigmas == SigmaSchedule.Dynamic ? sigma : (float)model.Shift * sigma / (1f + ((float)(model.Shift - 1) * sigma));

    private static Func<double, double> Shift(SamplerConfig config, FlowMatchEulerDiscreteSchedulerConfig model, long patches)
    {
        if (config.Sigmas != SigmaSchedule.Dynamic)
            return sigma => model.Shift * sigma / (1 + ((model.Shift - 1) * sigma));
        var mu = config.Mu ?? SamplerConfig.MuOf(patches);
        var factor = config.ShiftsByMu ? mu : Math.Exp(mu);
        return sigma => factor / (factor + ((1 / sigma) - 1));
    }

    private static double[] Stretched(SamplerConfig config, double[] sigmas)
    {
        if (config.ShiftTerminal is not { } terminal)
            return sigmas;
        var factor = (1 - sigmas[^1]) / (1 - terminal);
        return [.. sigmas.Select(sigma => 1 - ((1 - sigma) / factor))];
    }

    private static double[] Respaced(SigmaSchedule schedule, double[] sigmas)
    {
        var (steps, first, last) = (sigmas.Length, sigmas[0], sigmas[^1]);
        return schedule switch
        {
            SigmaSchedule.Karras => Karras([first, last], steps),
            SigmaSchedule.Exponential =>
                [.. Enumerable.Range(0, steps).Select(i => Math.Exp(Spaced(Math.Log(first), Math.Log(last), i, steps)))],
            SigmaSchedule.Beta =>
                [.. Enumerable.Range(0, steps).Select(i => last + (BetaQuantile.Of(1 - Spaced(0, 1, i, steps)) * (first - last)))],
            _ => sigmas,
        };
    }

    private static double[] Karras(double[] ends, int steps)
    {
        double high = Math.Pow(ends[0], 1 / KarrasRho), low = Math.Pow(ends[1], 1 / KarrasRho);
        return [.. Enumerable.Range(0, steps).Select(i => Math.Pow(high + (Spaced(0, 1, i, steps) * (low - high)), KarrasRho))];
    }

    /// <summary>Evenly spaced values with both ends exact, rounded as NumPy's linspace rounds them.</summary>
    private static double Spaced(double first, double last, int index, int count)
    {
        if (index == 0 || count == 1)
            return first;
        return index == count - 1 ? last : (index * ((last - first) / (count - 1))) + first;
    }

    // σ of a diffusion model whose βs go from 0.0001 to 0.02 in a straight line.
    private static double DiffusionLevel(int timestep)
    {
        const float first = 0.0001f, last = 0.02f, step = (last - first) / 999;
        var kept = 1.0;
        for (var i = 0; i <= timestep; i++)
            kept *= 1f - (i < 500 ? first + (step * i) : last - (step * (999 - i)));
        return MathF.Sqrt((1 - (float)kept) / (float)kept);
    }
}
