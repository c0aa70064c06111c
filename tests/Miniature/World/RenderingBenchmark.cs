using System.Diagnostics;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.World;

namespace Dreambooth.Lab.Tests.Miniature.World;

/// <summary>
/// Time to render one picture on one core; run with LAB_BENCHMARKS=1 and <c>dotnet test tests -c Release --filter Category=Benchmark
/// --logger "console;verbosity=detailed"</c>. The aim: 3 ms for a plain one, 8 ms with art.
/// </summary>
[Trait("Category", "Benchmark")]
public class RenderingBenchmark(ITestOutputHelper output)
{
    private const int Pictures = 150;

    [Fact]
    public void Render_EveryStyle_TakesMilliseconds()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("LAB_BENCHMARKS") is null, "Set LAB_BENCHMARKS=1 to measure.");
        Measure(spec => spec);
        output.WriteLine($"plain            {Measure(spec => spec):F2} ms");
        foreach (var rendition in Enum.GetValues<Rendition>().Skip(1))
            output.WriteLine($"{rendition,-16} {Measure(spec => spec with { Rendition = rendition }):F2} ms");
        foreach (var property in Enum.GetValues<PropertyChange>().Skip(1))
            output.WriteLine($"{property,-16} {Measure(spec => spec with { Property = property }):F2} ms");
    }

    private static double Measure(Func<WorldSpec, WorldSpec> change)
    {
        var specs = Enumerable.Range(0, Pictures)
            .Select(seed => change(WorldSampler.Draw((ulong)seed) with { Rendition = Rendition.Photo, Property = PropertyChange.None }))
            .ToList();
        WorldRenderer.Render(specs[0]);
        var watch = Stopwatch.StartNew();
        foreach (var spec in specs)
            WorldRenderer.Render(spec);
        return watch.Elapsed.TotalMilliseconds / Pictures;
    }
}
