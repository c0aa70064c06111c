using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Schedulers;

/// <summary>Golden values are sd-scripts' own, from the second set: whole timesteps for SD3, levels for FLUX.</summary>
public sealed partial class TimestepSamplingTests
{
    // FLUX's levels shifted by e^mu or s: a few roundings of float32.
    private const double Tolerance = 1e-6;

    private static readonly FlowMatchEulerDiscreteSchedulerConfig s_unshifted = new();

    public static TheoryData<GoldenCase> Whole =>
        GoldenSet.KeyCases("losses", @"^(?<case>sd3\..+)$", file => file.Name == "timesteps.safetensors");

    public static TheoryData<GoldenCase> Continuous =>
        GoldenSet.KeyCases("losses", @"^(?<case>flux\..+)\.sigmas$", file => file.Name == "timesteps.safetensors");

    [Theory]
    [MemberData(nameof(Whole))]
    [Trait("Category", "Parity")]
    public void Timesteps_GoldenDrawsOfSD3_AreTheSourcesRoundedDown(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var match = Sd3Form().Match(golden.Key!);
        double Number(string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
        var sampling = new TimestepSampling
        {
            // There cosmap only weights the loss.
            Kind = match.Groups["scheme"].Value switch
            {
                "logit_normal" => TimestepSamplingKind.LogitNormal,
                "mode" => TimestepSamplingKind.Mode,
                _ => TimestepSamplingKind.Uniform,
            },
            Density = new() { LogitMean = Number("mean"), LogitStd = Number("std") },
            Shift = Number("shift"),
            Lowest = (int)Number("low"),
            Highest = (int)Number("high"),
        };
        sampling.Validate();
        var timesteps = sampling.Timesteps(Draws(golden, sampling), s_unshifted, 0);
        GoldenAssert.Exact(GoldenSet.Load(golden.Folder, golden.File, golden.Key!), timesteps.floor(), "timesteps");
    }

    [Theory]
    [MemberData(nameof(Continuous))]
    [Trait("Category", "Parity")]
    public void Timesteps_GoldenDrawsOfFlux_AreTheSourcesLevels(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var match = FluxForm().Match(golden.Key!);
        double? Number(string group) =>
            match.Groups[group] is { Success: true, Value: var text } ? double.Parse(text, CultureInfo.InvariantCulture) : null;
        var kind = match.Groups["kind"].Value;
        var sampling = new TimestepSampling
        {
            Kind = kind switch
            {
                "uniform" => TimestepSamplingKind.Uniform,
                "sigma" => TimestepSamplingKind.Scheme,
                _ => TimestepSamplingKind.Sigmoid,
            },
            SigmoidScale = Number("scale") ?? 1,
            Shift = kind switch { "sigma" => 3, "flux_shift" => null, _ => Number("shift") ?? 1 },
            IsDynamic = kind == "flux_shift",
        };
        sampling.Validate();
        var timesteps = sampling.Timesteps(Draws(golden, sampling), s_unshifted, 16 / 2 * (24 / 2));
        GoldenAssert.Close(golden.Load("timesteps"), timesteps, Tolerance, "timesteps");
        GoldenAssert.Close(golden.Load("sigmas"), timesteps / 1000, Tolerance, "levels");
    }

    [Theory]
    [InlineData(TimestepSamplingKind.Uniform)]
    [InlineData(TimestepSamplingKind.Cosmap)]
    public void Timesteps_EvenlySpacedDraws_FollowTheDensity(TimestepSamplingKind kind)
    {
        using var scope = NewDisposeScope();
        var draws = linspace(0.01, 0.99, 99);
        var levels = new TimestepSampling { Kind = kind, Shift = 1 }.Timesteps(draws, s_unshifted, 0).data<float>()
            .Select(level => level / 1000.0).ToArray();
        // The distribution function, which the quantiles invert: of cosmap the integral of 2 / (π (1 − 2σ + 2σ²)).
        double Share(double level) => kind == TimestepSamplingKind.Uniform ? level : 0.5 + (2 / Math.PI * Math.Atan((2 * level) - 1));
        Assert.All(levels.Index(), entry => Assert.Equal((entry.Index + 1) / 100.0, Share(entry.Item), 1e-5));
    }

    [Fact]
    public void Timesteps_OfTheSchemeWithTheModelsShift_AreThoseOfItsTable()
    {
        using var scope = NewDisposeScope();
        var model = new FlowMatchEulerDiscreteSchedulerConfig { Shift = 3 };
        var draws = linspace(0, 0.9999, 50);
        var density = new TimestepDensity { Scheme = WeightingScheme.None };
        var timesteps = new TimestepSampling { Density = density }.Timesteps(draws, model, 0);
        var (table, _) = new FlowMatchEulerDiscreteScheduler(model).TrainTables();
        GoldenAssert.Close(table.index_select(0, TimestepDensity.Indices(density.FromDraws(draws), 1000)), timesteps, 1e-6);
    }

    [Fact]
    public void Timesteps_DynamicShift_MeansMoreNoiseForLargerPictures()
    {
        using var scope = NewDisposeScope();
        double Middle(long side) => new TimestepSampling { Kind = TimestepSamplingKind.Uniform, IsDynamic = true }
            .Timesteps(tensor([0.5f]), s_unshifted, side / 16 * (side / 16)).item<float>() / 1000;
        // s / (s + 1) of e^0.5 and e^1.15.
        Assert.Equal(Math.Exp(0.5) / (1 + Math.Exp(0.5)), Middle(256), 1e-5);
        Assert.Equal(Math.Exp(1.15) / (1 + Math.Exp(1.15)), Middle(1024), 1e-5);
    }

    [Fact]
    public void Sample_AnyKind_StaysInTheRangeAndFollowsTheSeed()
    {
        using var scope = NewDisposeScope();
        foreach (var kind in Enum.GetValues<TimestepSamplingKind>())
        {
            var sampling = new TimestepSampling { Kind = kind, Shift = 2, Lowest = 300, Highest = 400, Density = new() { ModeScale = 9 } };
            Tensor Draw(ulong seed)
            {
                using var generator = new Generator(seed, CPU);
                return sampling.Sample(200, generator, s_unshifted, 0);
            }

            var levels = Draw(1);
            Assert.InRange(levels.min().item<float>(), 0.2999f, 0.4001f);
            Assert.InRange(levels.max().item<float>(), 0.2999f, 0.4001f);
            GoldenAssert.Exact(levels, Draw(1));
            Assert.NotEqual(levels.data<float>().ToArray(), Draw(2).data<float>().ToArray());
        }
    }

    [Fact]
    public void Sample_LevelsNearZero_AreAtLeastAThousandth()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(0, CPU);
        var levels = new TimestepSampling { Kind = TimestepSamplingKind.Uniform, Shift = 1e-4 }.Sample(9, generator, s_unshifted, 0);
        Assert.All(levels.data<float>().ToArray(), level => Assert.InRange(level, 0.001f, 1));
    }

    [Fact]
    public void Validate_SeveralWrongValues_NamesThemAll()
    {
        var wrong = new TimestepSampling { SigmoidScale = 0, Shift = -1, IsDynamic = true, Lowest = 500, Highest = 500 };
        var message = Assert.Throws<LabException>(wrong.Validate).Message;
        string[] named =
        [
            "sigmoid_scale is 0", "timestep_shift is -1", "exclude each other", "min_timestep is 500 and max_timestep 500",
        ];
        Assert.All(named, part => Assert.Contains(part, message, StringComparison.Ordinal));
    }

    private static Tensor Draws(GoldenCase golden, TimestepSampling sampling) =>
        GoldenSet.Load(golden.Folder, golden.File, sampling.UsesNormalDraws ? "normal_draw" : "uniform_draw");

    [GeneratedRegex(@"^sd3\.(?<scheme>[a-z_]+)\.mean(?<mean>.+)_std(?<std>.+)\.shift(?<shift>.+)\.t(?<low>\d+)_(?<high>\d+)$")]
    private static partial Regex Sd3Form();

    [GeneratedRegex(@"^flux\.(?<kind>[a-z_]+?)(\.sigmoid_scale(?<scale>[\d.]+?))?(\.discrete_flow_shift(?<shift>[\d.]+))?$")]
    private static partial Regex FluxForm();
}
