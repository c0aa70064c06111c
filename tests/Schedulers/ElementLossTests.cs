using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Schedulers;

/// <summary>Golden values are sd-scripts' own, from the second set; the tolerance is the set's.</summary>
public sealed partial class ElementLossTests
{
    private const double Tolerance = 1e-6;

    public static TheoryData<GoldenCase> Losses => GoldenSet.KeyCases("losses", @"^(?<case>.+)\.per_sample$");

    [Theory]
    [MemberData(nameof(Losses))]
    [Trait("Category", "Parity")]
    public void Of_GoldenPredictions_GivesTheSourcesLossesAndGradients(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        Tensor Input(string key) => GoldenSet.Load(golden.Folder, golden.File, key);
        var loss = Parse(golden.Key!);
        loss.Validate();
        var (prediction, target) = (Input("pred").requires_grad_(true), Input("target"));
        var sigmas = (Input("timesteps") / 1000).view(-1, 1, 1, 1);
        var losses = loss.Of(prediction - target, sigmas).flatten(1).mean([1]);
        GoldenAssert.Close(golden.Load("per_sample"), losses, Tolerance, "losses");
        if (golden.Has("huber_c"))
            GoldenAssert.Close(golden.Load("huber_c"), loss.Threshold(sigmas).flatten(), Tolerance, "threshold");
        (losses * Input("loss_weights")).mean().backward();
        GoldenAssert.Close(golden.Load("grad"), prediction.grad!.narrow(1, 0, 2), Tolerance, "gradients");
    }

    [Fact]
    public void Of_HuberOfSmallAndLargeErrors_IsASquareAndAnAbsoluteValue()
    {
        using var scope = NewDisposeScope();
        var loss = new ElementLoss { Type = LossType.Huber, HuberC = 0.5 };
        var values = loss.Of(tensor([1e-2f, 1e4f]), tensor([0.5f])).data<float>().ToArray();
        Assert.Equal(1e-4, values[0], 1e-6);
        Assert.Equal(2 * 0.5 * 1e4, values[1], 1.0);
    }

    [Fact]
    public void Validate_ThresholdOfZero_IsNamed() => Assert.Contains(
        "huber_c is 0", Assert.Throws<LabException>(new ElementLoss { HuberC = 0 }.Validate).Message, StringComparison.Ordinal);

    private static ElementLoss Parse(string key)
    {
        var match = Form().Match(key);
        var loss = new ElementLoss { Type = OptionText.Parse<LossType>("loss_type", match.Groups["type"].Value) };
        double Number(string group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
        return !match.Groups["schedule"].Success ? loss : loss with
        {
            Schedule = OptionText.Parse<HuberSchedule>("huber_schedule", match.Groups["schedule"].Value),
            HuberC = Number("c"),
            HuberScale = Number("scale"),
        };
    }

    [GeneratedRegex(@"^(?<type>[a-z0-9_]+)(\.(?<schedule>[a-z]+)\.c(?<c>[\d.]+)_s(?<scale>[\d.]+))?$")]
    private static partial Regex Form();
}
