using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>What holds for every optimizer that <c>--optimizer</c> names.</summary>
public sealed class OptimizersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-optimizers-").FullName;

    public static TheoryData<string, bool> All => new()
    {
        { "AdamW", false }, { "AdamW", true }, { "lion", false }, { "prodigy", false }, { "adamw_schedulefree", false },
        { "adafactor", false },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(All))]
    public void Run_ResumedFromItsState_IsBitEqualAndMoves(string optimizer, bool use8bit)
    {
        var config = Of(optimizer, use8bit);
        using TinyTraining whole = new(), half = new();
        using var wholeTrainer = whole.Trainer(config);
        var before = whole.Weights;
        var state = Path.Combine(_folder, "optimizer.safetensors");
        wholeTrainer.Run(until: 3);
        wholeTrainer.SaveOptimizer(state);
        half.Adapter.Parameters.copy_(whole.Adapter.Parameters);
        wholeTrainer.Run();
        using var halfTrainer = half.Trainer(config);
        halfTrainer.GoOnFrom(3, state);
        halfTrainer.Run();
        Assert.Equal(whole.Weights, half.Weights);
        Assert.NotEqual(before, whole.Weights);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Run_AStepThatIsNotFinite_LeavesWeightsAndStateAsTheyWere(string optimizer, bool use8bit)
    {
        var config = Of(optimizer, use8bit);
        using TinyTraining sound = new(), broken = new() { BrokenAt = 2 };
        using var soundTrainer = sound.Trainer(config);
        using var brokenTrainer = broken.Trainer(config);
        var (one, other) = (Path.Combine(_folder, "one"), Path.Combine(_folder, "other"));
        soundTrainer.Run(until: 2);
        Assert.Throws<NonFiniteException>(() => brokenTrainer.Run());
        soundTrainer.SaveOptimizer(one);
        brokenTrainer.SaveOptimizer(other);
        Assert.Equal(sound.Weights, broken.Weights);
        Assert.Equal(File.ReadAllBytes(one), File.ReadAllBytes(other));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Step_ABrokenStepUndone_GoesOnAsIfItHadNotBeen(string optimizer, bool use8bit)
    {
        using var scope = NewDisposeScope();
        using TinyTraining first = new(), second = new();
        using var one = Of(optimizer, use8bit).CreateOptimizer(first.Adapter);
        using var other = Of(optimizer, use8bit).CreateOptimizer(second.Adapter);
        for (ulong step = 0; step < 4; step++)
        {
            var gradients = SeededNoise.Normal(first.Adapter.Gradients!.shape, step);
            first.Adapter.Gradients!.copy_(gradients);
            second.Adapter.Gradients!.copy_(gradients);
            one.Step();
            if (step == 2)
            {
                other.Remember();
                second.Adapter.Gradients!.fill_(float.NaN);
                other.Step();
                Assert.False(FiniteCheck.IsFinite(other.Largest()));
                other.Undo();
                second.Adapter.Gradients!.copy_(gradients);
            }

            other.Step();
        }

        GoldenAssert.Exact(first.Adapter.Parameters, second.Adapter.Parameters);
        Assert.Equal(4, other.StepCount);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void StateBytes_OfATraining_AreWhatThePlannerSays(string optimizer, bool use8bit)
    {
        var config = Of(optimizer, use8bit) with { TrainTextEncoder = true, Rank = 100 };
        using var pipeline = TinyPipeline.Load();
        using var adapter = config.CreateAdapter(pipeline);
        using var made = config.CreateOptimizer(adapter);
        var settings = MemorySettings.Of(config, 2);
        var planned = settings.Optimizer.StateBytes(new MemoryPlanner(ModelArchitecture.Read(TinyPipeline.Folder)).TrainedShapes(settings));
        Assert.InRange(made.StateBytes - planned, 0, 48);
    }

    [Fact]
    public void EvaluationWeights_OfScheduleFree_AreWhatIsKeptBetweenSteps()
    {
        using var scope = NewDisposeScope();
        using var training = new TinyTraining();
        using var trainer = training.Trainer(Of("adamw_schedulefree", false));
        trainer.Run(until: 2);
        var path = Path.Combine(_folder, "state");
        trainer.SaveOptimizer(path);
        using var file = Checkpoint.Open(path);
        var (trained, fast) = (file.Load("trained"), file.Load("z"));
        Assert.NotEqual(trained.data<float>().ToArray(), training.Weights);
        GoldenAssert.Close(trained.lerp(fast, tensor(1 - (1 / 0.9f))), training.Adapter.Parameters, 1e-6);
    }

    [Fact]
    public void GoOnFrom_AverageWithoutTrainedWeights_SaysWhatIsMissing()
    {
        using var training = new TinyTraining();
        using var trainer = training.Trainer(Of("adamw_schedulefree", false));
        var path = Path.Combine(_folder, "state");
        trainer.SaveOptimizer(path);
        var error = Assert.Throws<LabException>(() => trainer.GoOnFrom(1, path));
        Assert.Contains($"{path} has no 'trained'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("prodigy", 1e-4, "learning_rate is 0.0001, which is low for optimizer prodigy")]
    [InlineData("lion", 1e-4, "use_8bit_adam has no effect with optimizer lion")]
    [InlineData("AdamW", 1e-4, "prodigy_d0 has no effect with optimizer AdamW")]
    public void Notices_WhatProbablyIsNotMeant_IsTold(string optimizer, double rate, string notice)
    {
        var config = TinyTraining.Config with
        {
            Optimizer = optimizer,
            LearningRate = rate,
            Use8bitAdam = true,
            ProdigyD0 = optimizer == "AdamW" ? 1e-5 : 1e-6,
        };
        Assert.Contains(config.Notices(), told => told.StartsWith(notice, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("prodigy", "prodigy_growth_rate is 1; valid is more than 1")]
    [InlineData("adamw_schedulefree", "adam_beta1 is 0; for adamw_schedulefree it must be above 0")]
    [InlineData("adafactor", "adafactor_warmup_init needs adafactor_relative_step")]
    public void Validate_WhatDoesNotGoTogether_IsTold(string optimizer, string error)
    {
        var config = TinyTraining.Config with { Optimizer = optimizer, ProdigyGrowthRate = 1, AdamBeta1 = 0, AdafactorWarmupInit = true };
        Assert.Contains(error, Assert.Throws<LabException>(config.Validate).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Prodigy_TellsItsStepSize()
    {
        using var training = new TinyTraining();
        using var trainer = training.Trainer(Of("prodigy", false) with { ProdigyDCoef = 1000 });
        var records = new List<StepRecord>();
        trainer.Run(new TrainingEvents { OnStep = records.Add });
        Assert.All(records, record => Assert.True(record.StepSize >= 1e-6f));
        Assert.True(records[^1].StepSize > 1e-6f);
    }

    private static DreamBoothConfig Of(string optimizer, bool use8bit) => TinyTraining.Config with
    {
        Optimizer = optimizer,
        Use8bitAdam = use8bit,
        LearningRate = optimizer == "prodigy" ? 1 : 1e-2,
        MaxTrainSteps = 6,
    };
}
