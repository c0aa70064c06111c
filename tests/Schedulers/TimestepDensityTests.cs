using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Schedulers;

public sealed partial class TimestepDensityTests
{
    public static TheoryData<GoldenCase> Shaped => GoldenSet.KeyCases("density", @"^(?<case>[a-z_]+\.mean.+)\.u$");

    public static TheoryData<GoldenCase> Drawn => GoldenSet.KeyCases("density", @"^(?<case>[a-z_]+)\.sample_quantiles$");

    [Theory]
    [MemberData(nameof(Shaped))]
    [Trait("Category", "Parity")]
    public void FromDraws_GoldenDraws_GivesUAndExactIndices(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var density = Parse(golden.Key!);
        var u = density.FromDraws(GoldenSet.Load(golden.Folder, golden.File, density.UsesNormalDraws ? "normal_draw" : "uniform_draw"));
        GoldenAssert.Close(golden.Load("u"), u, 1e-7);
        var count = (int)GoldenSet.Load(golden.Folder, golden.File, "sigmas").numel();
        GoldenAssert.Exact(golden.Load("indices").clamp(0, count - 1), TimestepDensity.Indices(u, count), "indices");
    }

    /// <summary>
    /// The reference's own draws come from another random stream, so only the distributions are compared: the
    /// Kolmogorov distance between two samples of this size exceeds 0.06 with a probability below 1e-3.
    /// </summary>
    [Theory]
    [MemberData(nameof(Drawn))]
    [Trait("Category", "Parity")]
    public void Sample_ManyDraws_FollowsTheGoldenDistribution(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var generator = new Generator(7, CPU);
        var density = new TimestepDensity { Scheme = OptionText.Parse<WeightingScheme>("weighting_scheme", golden.Key!) };
        var drawn = density.Sample(20_000, generator);
        var quantiles = golden.Load("sample_quantiles").data<float>().ToArray();
        for (var index = 1; index < quantiles.Length - 1; index++)
        {
            var below = drawn.lt(quantiles[index]).to(ScalarType.Float32).mean().item<float>();
            Assert.InRange(below, ((float)index / (quantiles.Length - 1)) - 0.06f, ((float)index / (quantiles.Length - 1)) + 0.06f);
        }
    }

    [Theory]
    [InlineData(WeightingScheme.LogitNormal)]
    [InlineData(WeightingScheme.Mode)]
    [InlineData(WeightingScheme.None)]
    public void Sample_EqualSeeds_GiveEqualValues(WeightingScheme scheme)
    {
        using var scope = NewDisposeScope();
        var density = new TimestepDensity { Scheme = scheme };
        using Generator first = new(3, CPU), second = new(3, CPU);
        var drawn = density.Sample(50, first);
        Assert.Equal(drawn.data<float>().ToArray(), density.Sample(50, second).data<float>().ToArray());
        Assert.NotEqual(drawn.data<float>().ToArray(), density.Sample(50, first).data<float>().ToArray());
    }

    [Fact]
    public void Indices_OfTheEnds_StayInTheTable()
    {
        using var scope = NewDisposeScope();
        var indices = TimestepDensity.Indices(tensor([0f, 0.9995f, 1f, -1e-8f]), 1000);
        Assert.Equal([0L, 999, 999, 0], indices.data<long>().ToArray());
    }

    [Fact]
    public void Validate_SeveralWrongValues_NamesThemAll()
    {
        var message = Assert.Throws<LabException>(() => new TimestepDensity { LogitStd = -1, ModeScale = double.NaN }.Validate()).Message;
        Assert.Contains("logit_std is -1", message, StringComparison.Ordinal);
        Assert.Contains("mode_scale is NaN", message, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^(?<scheme>[a-z_]+)\.mean(?<mean>.+)_std(?<std>.+)_mode(?<scale>.+)$")]
    private static partial Regex KeyForm();

    private static TimestepDensity Parse(string key)
    {
        var match = KeyForm().Match(key);
        double Number(string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
        return new()
        {
            Scheme = OptionText.Parse<WeightingScheme>("weighting_scheme", match.Groups["scheme"].Value),
            LogitMean = Number("mean"),
            LogitStd = Number("std"),
            ModeScale = Number("scale"),
        };
    }
}
