using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Schedulers;

public sealed class SamplerConfigTests
{
    private static readonly FlowMatchEulerDiscreteSchedulerConfig s_model = new() { Shift = 3 };

    public static TheoryData<SamplerKind, SigmaSchedule> All =>
        [.. from kind in Enum.GetValues<SamplerKind>() from schedule in Enum.GetValues<SigmaSchedule>() select (kind, schedule)];

    [Theory]
    [MemberData(nameof(All))]
    public void Create_AnySamplerAtAnyLevels_FallsToDataAndStaysFinite(SamplerKind kind, SigmaSchedule schedule)
    {
        var config = new SamplerConfig { Kind = kind, Sigmas = schedule };
        foreach (var steps in new[] { 1, 2, 3, 28 })
        {
            using var scope = NewDisposeScope();
            using var sampler = config.Create(s_model, steps, 1024);
            Assert.Equal((config.ModelCalls(steps), config.DrawsNoise), (sampler.Timesteps.Count, sampler.DrawsNoise));
            Assert.Equal((sampler.Timesteps.Count + 1, 0f), (sampler.Sigmas.Count, sampler.Sigmas[^1]));
            Assert.InRange(sampler.Sigmas[0], 0.99f, 1f);
            Assert.All(sampler.Sigmas.Zip(sampler.Sigmas.Skip(1)), pair => Assert.True(pair.Second <= pair.First));
            Assert.All(sampler.Timesteps.Zip(sampler.Sigmas), pair => Assert.Equal(pair.Second * 1000, pair.First, 1e-3));

            // A velocity that leads every sample straight to one picture: whatever the way, the end is that picture.
            Tensor data = SeededNoise.Normal([2, 3], 1), sample = SeededNoise.Normal([2, 3], 2);
            for (var call = 0; call < sampler.Timesteps.Count; call++)
            {
                var velocity = (sample - data) / tensor(sampler.Sigmas[call]);
                sample = sampler.Step(velocity, call, sample, sampler.DrawsNoise ? SeededNoise.Normal([2, 3], (ulong)call) : null);
            }

            GoldenAssert.Close(data, sample, 1e-5, $"{steps} steps");
        }
    }

    [Theory]
    [InlineData(SamplerKind.Heun)]
    [InlineData(SamplerKind.DpmPlusPlus3MSde)]
    [InlineData(SamplerKind.UniPC3)]
    public void Create_AWholeRun_LeavesNoTensorBehind(SamplerKind kind)
    {
        using var scope = NewDisposeScope();
        Tensor output = ones(3), sample = ones(3), noise = ones(3);
        Assert.Equal(0, LiveTensors.LeftBy(() =>
        {
            using var sampler = new SamplerConfig { Kind = kind }.Create(s_model, 5, 1024);
            for (var call = 0; call < sampler.Timesteps.Count - 1; call++)
                sampler.Step(output, call, sample, noise).Dispose();
        }));
    }

    // Halving the steps divides the error by 2 for Euler, by 4 for the others, less where the last step, to σ = 0, is of first order.
    [Theory]
    [InlineData(SamplerKind.Euler, 1.6)]
    [InlineData(SamplerKind.Heun, 3.2)]
    [InlineData(SamplerKind.DpmPlusPlus2M, 2.5)]
    [InlineData(SamplerKind.UniPC, 3.0)]
    public void Step_TwiceAsManySteps_ErrsAsItsOrderSays(SamplerKind kind, double least)
    {
        double few = ErrorOf(kind, 32), many = ErrorOf(kind, 64);
        Assert.True(few / many > least, $"{kind}: {few:g4} at 32 steps, {many:g4} at 64");
    }

    [Fact]
    public void Create_TruncatedTimesteps_AreWholeAndTheLevelsTheSame()
    {
        var config = new SamplerConfig { Kind = SamplerKind.DpmPlusPlus2M };
        using var exact = config.Create(s_model, 6, 0);
        using var whole = (config with { TruncateTimesteps = true }).Create(s_model, 6, 0);
        Assert.Equal(exact.Sigmas, whole.Sigmas);
        Assert.Equal(exact.Timesteps.Select(MathF.Truncate), whole.Timesteps);
        Assert.NotEqual(exact.Timesteps, whole.Timesteps);
    }

    [Fact]
    public void Create_NotASampler_SaysWhatIsWrong()
    {
        var error = Assert.Throws<LabException>(
            () => new SamplerConfig { Kind = (SamplerKind)99, ShiftTerminal = 2 }.Create(s_model, 6, 0));
        Assert.Equal(
            "The sampler's settings are wrong: sampler is 99; it is none of SamplerKind's; "
                + "shift_terminal is 2; it must be between 0 and 1.",
            error.Message);
        Assert.Contains(
            "at least 1", Assert.Throws<LabException>(() => new SamplerConfig().Create(s_model, 0, 0)).Message, StringComparison.Ordinal);
    }

    // Data that are normal with deviation 0.5 have a known velocity, v = x (σ − 0.25 (1 − σ)) / (σ² + 0.25 (1 − σ)²), and x is in
    // proportion to the root of that denominator.
    private static double ErrorOf(SamplerKind kind, int steps)
    {
        using var scope = NewDisposeScope();
        using var sampler = new SamplerConfig { Kind = kind }.Create(new() { Shift = 1 }, steps, 0);
        double Spread(double sigma) => (sigma * sigma) + (0.25 * (1 - sigma) * (1 - sigma));
        var sample = ones(1);
        for (var call = 0; call < sampler.Timesteps.Count; call++)
        {
            double sigma = sampler.Sigmas[call];
            sample = sampler.Step(sample * tensor((float)((sigma - (0.25 * (1 - sigma))) / Spread(sigma))), call, sample);
        }

        return Math.Abs(sample.item<float>() - Math.Sqrt(Spread(0) / Spread(sampler.Sigmas[0])));
    }
}
