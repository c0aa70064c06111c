using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class EmaTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-ema-").FullName;

    public EmaTests()
    {
        _pictures.AddMany(2);
    }

    public static TheoryData<GoldenCase> Averages => GoldenSet.Cases("ema", file => file.Has("params.a"));

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // Decays exact as doubles, weights 2e-7: the set's tolerances.
    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Averages))]
    public void Update_GoldenWeights_AverageAsTheReferenceDoes(GoldenCase golden)
    {
        golden.Require();
        using var json = System.Text.Json.JsonDocument.Parse(File.ReadAllBytes(GoldenSet.PathOf("ema", "ema.json")));
        foreach (var entry in json.RootElement.EnumerateObject())
        {
            using var scope = NewDisposeScope();
            var config = Of(entry.Value.GetProperty("config"));
            var decays = entry.Value.GetProperty("decay").EnumerateArray().Select(value => value.GetDouble()).ToArray();
            Assert.Equal(decays, Enumerable.Range(1, decays.Length).Select(step => config.DecayAt(step)));
            foreach (var at in entry.Value.GetProperty("decay_at").EnumerateObject())
                Assert.Equal(at.Value.GetDouble(), config.DecayAt(long.Parse(at.Name, System.Globalization.CultureInfo.InvariantCulture)));
            foreach (var name in new[] { "a", "b" })
            {
                var (given, wanted) = (golden.Load($"params.{name}"), golden.Load($"{entry.Name}.{name}"));
                using var average = new EmaWeights(given[0].flatten(), config);
                for (var step = 1; step <= decays.Length; step++)
                {
                    average.Update(given[step].flatten(), step);
                    var off = (wanted[step - 1].flatten() - average.Average).abs().max().item<float>();
                    Assert.InRange(off, 0, 2e-7 * Math.Max(1, wanted[step - 1].abs().max().item<float>()));
                }
            }
        }
    }

    [Theory]
    [InlineData(true, "AdamW")]
    [InlineData(false, "adamw_schedulefree")]
    [InlineData(true, "prodigy")]
    public void Train_AnAverage_IsSavedAndResumesBitForBit(bool ema, string optimizer)
    {
        var config = TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, optimizer)) with
        {
            UseEma = ema,
            Optimizer = optimizer,
            LearningRate = optimizer == "prodigy" ? 1 : 1e-2,
            MaxTrainSteps = 4,
            CheckpointingSteps = 2,
            Rank = 2,
        };
        using var pipeline = TinyPipeline.Load();
        byte[] whole, state;
        using (var session = TrainingSession.Prepare(config, pipeline))
        {
            session.Run();
            whole = File.ReadAllBytes(session.Save());
            Assert.Equal(whole, File.ReadAllBytes(Path.Combine(config.OutputDir, "checkpoint-4", LoraFile.DefaultName)));
            state = File.ReadAllBytes(Path.Combine(config.OutputDir, "checkpoint-4", "optimizer.safetensors"));
        }

        using (var session = TrainingSession.Prepare(config with { ResumeFromCheckpoint = "checkpoint-2" }, pipeline))
        {
            session.Run();
            Assert.Equal(whole, File.ReadAllBytes(session.Save()));
            Assert.Equal(state, File.ReadAllBytes(Path.Combine(config.OutputDir, "checkpoint-4", "optimizer.safetensors")));
        }

        using var file = Dreambooth.Lab.Tensors.Checkpoint.Open(Path.Combine(config.OutputDir, "checkpoint-4", "optimizer.safetensors"));
        Assert.Contains("trained", file.Names);
    }

    [Fact]
    public void Run_WithAverage_TrainsAsWithoutAndKeepsAnother()
    {
        var config = TinyTraining.Config with { MaxTrainSteps = 5 };
        using TinyTraining plain = new(), averaged = new();
        using var one = plain.Trainer(config);
        using var other = averaged.Trainer(config with { UseEma = true });
        var (losses, averagedLosses) = (new List<double>(), new List<double>());
        one.Run(new TrainingEvents { OnStep = record => losses.Add(record.Loss) });
        other.Run(new TrainingEvents { OnStep = record => averagedLosses.Add(record.Loss) });
        Assert.Equal(losses, averagedLosses);
        Assert.NotEqual(plain.Weights, averaged.Weights);
    }

    [Fact]
    public void Validate_TwoAverages_IsRefused()
    {
        var config = TinyTraining.Config with { UseEma = true, Optimizer = "adamw_schedulefree" };
        Assert.Contains("averages the weights itself", Assert.Throws<LabException>(config.Validate).Message, StringComparison.Ordinal);
        Assert.Contains(
            "ema_decay has no effect without use_ema.", (TinyTraining.Config with { EmaDecay = 0.5 }).Notices(), StringComparer.Ordinal);
    }

    private static EmaConfig Of(System.Text.Json.JsonElement config)
    {
        double Get(string name, double otherwise) => config.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;
        return new EmaConfig
        {
            Decay = Get("decay", 0.9999),
            MinDecay = Get("min_decay", 0),
            UpdateAfterStep = (int)Get("update_after_step", 0),
            UseWarmup = config.TryGetProperty("use_ema_warmup", out var warmup) && warmup.GetBoolean(),
            InvGamma = Get("inv_gamma", 1),
            Power = Get("power", 2.0 / 3),
        };
    }
}
