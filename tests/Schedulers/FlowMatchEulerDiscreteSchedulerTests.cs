using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Schedulers;

public sealed class FlowMatchEulerDiscreteSchedulerTests
{
    public static TheoryData<GoldenCase> Constructed => GoldenSet.KeyCases("scheduler", @"^(?<case>shift[\d.]+)\.init\.sigmas$");

    public static TheoryData<GoldenCase> Sampling => GoldenSet.KeyCases("scheduler", @"^(?<case>shift[\d.]+\.n\d+)\.sigmas$");

    public static TheoryData<GoldenCase> Sequences => GoldenSet.KeyCases("scheduler", @"^(?<case>shift[\d.]+\.steps\d+)\.sample$");

    [Theory]
    [MemberData(nameof(Constructed))]
    [Trait("Category", "Parity")]
    public void Construct_GoldenShift_GivesTheTrainingTablesExactly(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var expected = golden.Load("init.sigmas");
        var (timesteps, sigmas) = Scheduler(golden, (int)expected.numel()).TrainTables();
        GoldenAssert.Exact(expected, sigmas, "sigmas");
        GoldenAssert.Exact(golden.Load("init.timesteps"), timesteps, "timesteps");
        GoldenAssert.Exact(golden.Load("init.sigma_min"), sigmas[-1], "sigma_min");
        GoldenAssert.Exact(golden.Load("init.sigma_max"), sigmas[0], "sigma_max");
    }

    [Theory]
    [MemberData(nameof(Sampling))]
    [Trait("Category", "Parity")]
    public void SetTimesteps_GoldenCount_GivesTheTablesExactly(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var expected = golden.Load("timesteps");
        var scheduler = Scheduler(golden);
        scheduler.SetTimesteps((int)expected.numel());
        Assert.Equal(expected.data<float>().ToArray(), scheduler.Timesteps);
        Assert.Equal(golden.Load("sigmas").data<float>().ToArray(), scheduler.Sigmas);
    }

    [Theory]
    [MemberData(nameof(Sequences))]
    [Trait("Category", "Parity")]
    public void Step_GoldenSequence_GivesEverySampleExactly(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var (outputs, expected, sample) = (golden.Load("model_outputs"), golden.Load("prev_samples"), golden.Load("sample"));
        var scheduler = Scheduler(golden);
        var count = (int)outputs.shape[0];
        scheduler.SetTimesteps(count);
        for (var step = 0; step < count; step++)
        {
            var captured = FlowMatchEulerDiscreteScheduler.Step(
                outputs[step], tensor(scheduler.Sigmas[step + 1] - scheduler.Sigmas[step]), sample);
            sample = scheduler.Step(outputs[step], step, sample);
            GoldenAssert.Exact(expected[step], sample, $"step {step}");
            GoldenAssert.Exact(expected[step], captured, $"step {step} with its length on the device");
        }
    }

    [Theory]
    [MemberData(nameof(GoldenPipelines))]
    [Trait("Category", "Parity")]
    public void Read_GoldenPipeline_AcceptsItsConfig(GoldenCase golden)
    {
        golden.Require();
        var config = FlowMatchEulerDiscreteSchedulerConfig.Read(Path.Combine(golden.FullPath, "scheduler", "scheduler_config.json"));
        Assert.Equal(new FlowMatchEulerDiscreteSchedulerConfig { NumTrainTimesteps = 1000, Shift = 3 }, config);
    }

    public static TheoryData<GoldenCase> GoldenPipelines => GoldenSet.PipelineCases();

    [Fact]
    public void Step_HalfPrecisionOutput_SumsInFloat32AndReturnsTheOutputsType()
    {
        using var scope = NewDisposeScope();
        var scheduler = new FlowMatchEulerDiscreteScheduler(new());
        scheduler.SetTimesteps(4);
        var next = scheduler.Step(ones([2, 3], ScalarType.BFloat16), 0, ones([2, 3], ScalarType.BFloat16));
        Assert.Equal(ScalarType.BFloat16, next.dtype);
        using var expected = tensor(1f + (scheduler.Sigmas[1] - scheduler.Sigmas[0])).to(ScalarType.BFloat16);
        Assert.Equal(expected.item<BFloat16>(), next[0, 0].item<BFloat16>());
    }

    [Fact]
    public void Step_AnyStep_LeavesNoTensorBehind()
    {
        using var scope = NewDisposeScope();
        var scheduler = new FlowMatchEulerDiscreteScheduler(new());
        scheduler.SetTimesteps(2);
        Tensor output = ones(3), sample = ones(3);
        Assert.Equal(0, LiveTensors.LeftBy(() => scheduler.Step(output, 1, sample).Dispose()));
    }

    [Fact]
    public void ScaleNoise_SigmaPerSample_MixesDataAndNoise()
    {
        using var scope = NewDisposeScope();
        var mixed = FlowMatchEulerDiscreteScheduler.ScaleNoise(
            full([2, 1, 1, 1], 8f), tensor([0.25f, 1f]).view(2, 1, 1, 1), full([2, 1, 1, 1], -4f));
        Assert.Equal([5f, -4f], mixed.view(-1).data<float>().ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void SetTimesteps_NoSteps_SaysWhatIsNeeded(int count) =>
        Assert.Contains("at least 1", Assert.Throws<LabException>(
            () => new FlowMatchEulerDiscreteScheduler(new()).SetTimesteps(count)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"use_dynamic_shifting":true}""", "use_dynamic_shifting")]
    [InlineData("""{"use_karras_sigmas":true,"invert_sigmas":true}""", "use_karras_sigmas, invert_sigmas")]
    [InlineData("""{"shift_terminal":0.1}""", "shift_terminal")]
    [InlineData("""{"_class_name":"DDIMScheduler"}""", "DDIMScheduler")]
    [InlineData("""{"shift":0}""", "shift is 0")]
    [InlineData("""{"num_train_timesteps":"many"}""", ": num_train_timesteps is \"many\"; valid is a whole number from 1 to 1000000.")]
    [InlineData("""{"shift":""", " is not valid JSON at line 1")]
    [InlineData("[]", " is []; valid is a JSON object.")]
    public void Read_UnsupportedOrBroken_SaysWhatAndWhere(string json, string expected)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, json);
            var message = Assert.Throws<LabException>(() => FlowMatchEulerDiscreteSchedulerConfig.Read(path)).Message;
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static FlowMatchEulerDiscreteScheduler Scheduler(GoldenCase golden, int? count = null)
    {
        var text = Regex.Match(golden.Key!, @"^shift(?<shift>\d+(\.\d+)?)", RegexOptions.ExplicitCapture).Groups["shift"].Value;
        var named = Regex.Match(golden.Entry.Call, @"num_train_timesteps=(?<count>\d+)").Groups["count"].Value;
        return new(new()
        {
            Shift = double.Parse(text, CultureInfo.InvariantCulture),
            NumTrainTimesteps = count ?? int.Parse(named, CultureInfo.InvariantCulture),
        });
    }
}
