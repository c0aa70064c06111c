using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Bench;

/// <summary>Generates the same pictures exactly and by each approximation, and has them judged.</summary>
/// <param name="load">Gives the model, which this disposes; asked again where its quantization changes.</param>
/// <param name="judge">Judges.</param>
/// <param name="axes">The pictures: prompts, seeds, LoRA, guidance.</param>
/// <param name="folder">Where they go; those of an earlier run are taken as they are.</param>
internal sealed class ApproximationsBenchmark(
    Func<Quantization, StableDiffusion3Pipeline> load, IPictureJudge judge, SweepAxes axes, string folder) : IDisposable
{
    private const ulong BootstrapSeed = 20;

    private readonly Sweep _sweep = Sweep.Cross("approximations", axes);
    private StableDiffusion3Pipeline? _pipeline;

    /// <summary>Measures.</summary>
    /// <param name="all">Which; the exact one comes first by itself.</param>
    /// <param name="cancellation">Ends it between two steps.</param>
    public IEnumerable<ApproximationFigure> Run(IEnumerable<Approximation> all, CancellationToken cancellation)
    {
        var exact = Generate(Approximation.Exact, cancellation);
        yield return Figure(Approximation.Exact, exact, null);
        foreach (var approximation in all)
            yield return Figure(approximation, Generate(approximation, cancellation), exact);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => _pipeline?.Dispose();

    private StableDiffusion3Pipeline Pipeline(Quantization quantization)
    {
        if (_pipeline is { } loaded && loaded.Options.Quantization == quantization)
            return loaded;
        _pipeline?.Dispose();
        return _pipeline = load(quantization);
    }

    private IReadOnlyList<SweepResult> Generate(Approximation approximation, CancellationToken cancellation)
    {
        var sweep = _sweep with { Items = [.. _sweep.Items.Select(approximation.Of)] };
        return new SweepRunner(Pipeline(approximation.Quantization), new SweepRunnerOptions { Judge = judge })
            .Run(sweep, Path.Combine(folder, approximation.Name), cancellation);
    }

    private ApproximationFigure Figure(
        Approximation approximation, IReadOnlyList<SweepResult> results, IReadOnlyList<SweepResult>? exact) => new(
            approximation, results.Average(result => result.Seconds), Mean(results, judge.FidelityScore),
            Mean(results, judge.AdherenceScore), Change(results, exact, judge.FidelityScore),
            Change(results, exact, judge.AdherenceScore), exact is null ? 0 : Difference(approximation, results, exact));

    private ScoreInterval Mean(IReadOnlyList<SweepResult> results, string score) =>
        Bootstrap.Mean(Samples(results, score), BootstrapSeed);

    private ScoreInterval? Change(IReadOnlyList<SweepResult> results, IReadOnlyList<SweepResult>? exact, string score) =>
        exact is null ? null : Bootstrap.Difference(Samples(exact, score), Samples(results, score), BootstrapSeed);

    // Prompts that say nothing that the judge can see have no adherence.
    private List<ScoreSample> Samples(IReadOnlyList<SweepResult> results, string score) =>
        [.. results.Where(result => result.Scores!.ContainsKey(score)).Select(result => new ScoreSample(
            axes.Prompts.Index().First(prompt => prompt.Item == result.Item.Prompt).Index, (long)result.Item.Seed,
            result.Scores![score]))];

    private double Difference(Approximation approximation, IReadOnlyList<SweepResult> results, IReadOnlyList<SweepResult> exact)
    {
        var squares = results.Zip(exact).Average(pair =>
        {
            var own = ImageDecoder.Load(Path.Combine(folder, approximation.Name, pair.First.Path)).Pixels;
            var other = ImageDecoder.Load(Path.Combine(folder, Approximation.Exact.Name, pair.Second.Path)).Pixels;
            return own.Zip(other).Average(values => Math.Pow(values.First - values.Second, 2));
        });
        return Math.Sqrt(squares);
    }
}
