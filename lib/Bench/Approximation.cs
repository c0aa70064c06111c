using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Bench;

/// <summary>A way to generate pictures in less time than with all steps.</summary>
/// <param name="Name">Its short name, by which a row is chosen.</param>
/// <param name="Title">What it does.</param>
/// <param name="Steps">Its steps, of <see cref="ExactSteps"/>.</param>
/// <param name="CacheInterval">See <see cref="GenerationRequest.CacheInterval"/>.</param>
/// <param name="CacheOrder">See <see cref="GenerationRequest.CacheOrder"/>.</param>
internal sealed record Approximation(string Name, string Title, int Steps, int CacheInterval = 1, int CacheOrder = 0)
{
    /// <summary>The steps of the exact pictures: the default of diffusers' SD3 pipeline.</summary>
    public const int ExactSteps = 28;

    /// <summary>What the others are compared with.</summary>
    public static Approximation Exact { get; } = new("exact", "28 steps, every one whole", ExactSteps);

    /// <summary>The faster ones.</summary>
    public static IReadOnlyList<Approximation> Faster { get; } =
    [
        new("steps-20", "20 steps", 20),
        new("steps-14", "14 steps", 14),
        new("steps-10", "10 steps", 10),
        new("cache-2", "blocks in every 2nd step, kept between", ExactSteps, 2),
        new("cache-3", "blocks in every 3rd step, kept between", ExactSteps, 3),
        new("cache-4", "blocks in every 4th step, kept between", ExactSteps, 4),
        new("cache-2-line", "blocks in every 2nd step, extrapolated between", ExactSteps, 2, 1),
        new("cache-3-line", "blocks in every 3rd step, extrapolated between", ExactSteps, 3, 1),
        new("cache-2-steps-20", "20 steps, blocks in every 2nd, kept between", 20, 2),
        new("fp8", "the blocks' products in 8 bits", ExactSteps) { Quantization = Quantization.Fp8 },
        new("fp8-cache-3", "the same, blocks in every 3rd step, kept between", ExactSteps, 3) { Quantization = Quantization.Fp8 },
    ];

    /// <summary>See <see cref="PipelineOptions.Quantization"/>.</summary>
    public Quantization Quantization { get; init; }

    /// <summary>How often the transformer's blocks run.</summary>
    public int WholeSteps => Enumerable.Range(0, Steps).Count(step => ResidualCache.RunsBlocks(step, CacheInterval, Steps));

    /// <summary>A picture's settings with this approximation.</summary>
    public SweepItem Of(SweepItem item) => item with { Steps = Steps, CacheInterval = CacheInterval, CacheOrder = CacheOrder };

    /// <summary>A request's, in proportion to its own steps.</summary>
    public GenerationRequest Of(GenerationRequest request) => request with
    {
        NumInferenceSteps = Math.Max(1, request.NumInferenceSteps * Steps / ExactSteps),
        CacheInterval = CacheInterval,
        CacheOrder = CacheOrder,
    };
}
