using System.Text.RegularExpressions;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Schedulers;

/// <summary>Every sampler and schedule against the reference's, from the second golden set; tolerances are its README's.</summary>
[Trait("Category", "Parity")]
public sealed class SamplerGoldenTests
{
    private const double StepTolerance = 1e-5;

    public static TheoryData<GoldenCase> Tables =>
        GoldenSet.KeyCases("samplers", @"^(?<case>n\d+)\.sigmas$", GoldenSampler.IsSampler);

    public static TheoryData<GoldenCase> Sequences =>
        GoldenSet.KeyCases("samplers", @"^(?<case>steps\d+)\.sample$", GoldenSampler.IsSampler);

    [Theory]
    [MemberData(nameof(Tables))]
    public void Create_GoldenCount_GivesItsTables(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var (model, config) = GoldenSampler.Read(golden);
        using var sampler = config.Create(model, CountOf(golden), 0);
        NearlyEqual(golden.Load("sigmas"), sampler.Sigmas, "sigmas");
        NearlyEqual(golden.Load("timesteps").to(ScalarType.Float32), sampler.Timesteps, "timesteps");
    }

    [Theory]
    [MemberData(nameof(Sequences))]
    public void Step_GoldenSequence_GivesEverySample(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var (model, config) = GoldenSampler.Read(golden);
        using var sampler = config.Create(model, CountOf(golden), 0);
        var (outputs, expected, sample) = (golden.Load("model_outputs"), golden.Load("prev_samples"), golden.Load("sample"));
        var noise = golden.Has("noise") ? golden.Load("noise") : null;
        Assert.Equal(outputs.shape[0], sampler.Timesteps.Count);
        Assert.Equal(noise is not null, sampler.DrawsNoise);
        for (var call = 0; call < sampler.Timesteps.Count; call++)
        {
            sample = sampler.Step(outputs[call], call, sample, noise?[call]);
            // Where the reference is not finite, the set has only the steps before.
            if (call < expected.shape[0])
                GoldenAssert.Close(expected[call], sample, StepTolerance, $"step {call}");
            Assert.True(sample.isfinite().all().item<bool>(), $"step {call} is not finite");
        }
    }

    private static int CountOf(GoldenCase golden) => int.Parse(
        Regex.Match(golden.Key!, @"\d+$").Value, System.Globalization.CultureInfo.InvariantCulture);

    private static void NearlyEqual(Tensor expected, IReadOnlyList<float> actual, string what)
    {
        var wanted = expected.data<float>().ToArray();
        Assert.Equal(wanted.Length, actual.Count);
        for (var i = 0; i < wanted.Length; i++)
        {
            var ulps = Math.Abs(BitConverter.SingleToInt32Bits(wanted[i]) - BitConverter.SingleToInt32Bits(actual[i]));
            Assert.True(ulps <= 1, $"{what}[{i}] is {actual[i]:R}, not {wanted[i]:R}");
        }
    }
}
