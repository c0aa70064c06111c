using System.Globalization;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>What the flags of noise levels and losses do to a run.</summary>
public sealed class ObjectiveOptionsTests
{
    private static readonly DreamBoothConfig s_config = TinyTraining.Config with { MaxTrainSteps = 3 };

    public static TheoryData<string, string> Options => new()
    {
        { "timestep_sampling", "uniform" }, { "timestep_sampling", "sigmoid" }, { "timestep_sampling", "logit_normal" },
        { "timestep_sampling", "mode" }, { "timestep_sampling", "cosmap" }, { "timestep_shift", "1" }, { "discrete_flow_shift", "7" },
        { "min_timestep", "900" }, { "max_timestep", "100" }, { "loss_type", "l1" }, { "loss_type", "huber" },
        { "loss_type", "smooth_l1" },
    };

    [Theory]
    [MemberData(nameof(Options))]
    public void Run_WithTheOption_TrainsOtherWeightsAndLossesStayFinite(string flag, string value)
    {
        var (losses, weights) = Train(s_config);
        var (changed, other) = Train(With(flag, value));
        Assert.NotEqual(losses, changed);
        Assert.NotEqual(weights, other);
        Assert.All(changed, loss => Assert.True(float.IsFinite(loss) && loss > 0));
    }

    [Fact]
    public void Run_ThresholdAndItsSchedule_ChangeHuber()
    {
        var huber = s_config with { LossType = LossType.Huber };
        var runs = new[]
        {
            huber, huber with { HuberC = 0.3 }, huber with { HuberScale = 2 }, huber with { HuberSchedule = HuberSchedule.Exponential },
        }.Select(config => Train(config).Losses).ToList();
        Assert.Equal(runs.Count, runs.DistinctBy(losses => losses[0]).Count());
    }

    [Fact]
    public void Run_DynamicShiftAndSigmoidScale_ChangeTheLevels()
    {
        var sigmoid = s_config with { TimestepSampling = TimestepSamplingKind.Sigmoid };
        var runs = new[] { sigmoid, sigmoid with { SigmoidScale = 2 }, sigmoid with { DynamicTimestepShift = true } }
            .Select(config => Train(config).Losses).ToList();
        Assert.Equal(runs.Count, runs.DistinctBy(losses => losses[0]).Count());
    }

    [Fact]
    public void Notices_OptionsOfAnotherLossOrSampling_AreTold()
    {
        var config = s_config with { HuberC = 0.2, SigmoidScale = 2 };
        Assert.Equal(
            ["sigmoid_scale has no effect without timestep_sampling sigmoid.",
                "huber_c has no effect without loss_type huber or smooth_l1."],
            config.Notices());
    }

    [Fact]
    public void Validate_ShiftsThatExcludeEachOtherAndAnEmptyRange_AreNamed()
    {
        var config = s_config with { TimestepShift = 2, DynamicTimestepShift = true, MinTimestep = 500, MaxTimestep = 400 };
        var message = Assert.Throws<LabException>(config.Validate).Message;
        Assert.Contains("timestep_shift and dynamic_timestep_shift exclude each other", message, StringComparison.Ordinal);
        Assert.Contains("min_timestep is 500 and max_timestep 400", message, StringComparison.Ordinal);
    }

    private static DreamBoothConfig With(string name, string value)
    {
        var recipe = JsonNode.Parse(s_config.ToJson())!.AsObject();
        recipe.Remove(DreamBoothConfig.Flags.Find(name)!.Name);
        recipe[name] = double.TryParse(value, CultureInfo.InvariantCulture, out var number) ? number : value;
        return DreamBoothConfig.FromJson(recipe.ToJsonString());
    }

    private static (float[] Losses, float[] Weights) Train(DreamBoothConfig config)
    {
        config.Validate();
        using var training = new TinyTraining();
        using var trainer = training.Trainer(config);
        var losses = new List<float>();
        trainer.Run(new TrainingEvents { OnStep = step => losses.Add((float)step.Loss) });
        return ([.. losses], training.Weights);
    }
}
