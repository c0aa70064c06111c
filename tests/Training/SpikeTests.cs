using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class SpikeTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-spike-").FullName;

    public SpikeTests() => _pictures.AddMany(2);

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Add_FiveHighStepsInARow_AreASpike()
    {
        var watch = new SpikeWatch(3);
        Assert.All(Enumerable.Range(1, 30), step => Assert.False(watch.Add(step, step % 2 == 0 ? 0.1 : 0.3)));
        Assert.Equal([false, false, false, false, true], Enumerable.Range(31, 5).Select(step => watch.Add(step, step)));
        Assert.Equal((31, 0.2), (watch.First, Math.Round(watch.Median, 9)));
        Assert.Equal([31, 32, 33, 34, 35], watch.High);
    }

    [Fact]
    public void Add_HighStepsThatEnd_AreNone()
    {
        var watch = new SpikeWatch(3);
        Assert.All(Enumerable.Range(1, 200), step => Assert.False(watch.Add(step, step % 5 == 0 ? 0.2 : step > 20 ? 9 : 0.2)));
    }

    [Fact]
    public void Add_LossThatRisesSlowlyOrBeginsHigh_IsNone()
    {
        var watch = new SpikeWatch(3);
        Assert.All(Enumerable.Range(1, 300), step => Assert.False(watch.Add(step, 0.1 * Math.Exp(step / 60.0))));
        var first = new SpikeWatch(3);
        Assert.All(Enumerable.Range(1, 19), step => Assert.False(first.Add(step, step)));
    }

    [Fact]
    public void Train_LossThatExplodes_EndsWithACheckpointFromBefore()
    {
        using var pipeline = TinyPipeline.Load();
        var config = TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
        {
            LearningRate = 1e-4,
            MaxTrainSteps = 60,
            StopOnSpike = true,
            SpikeFactor = 3,
            ReportTo = "none",
        };

        // The model's last layer is spoiled between two steps, by a power of two, so that it can be mended exactly.
        var seen = new List<StepRecord>();
        var events = new TrainingEvents
        {
            OnStep = record =>
            {
                seen.Add(record);
                if (record.Step == 33)
                    Scale(pipeline, 64);
            },
        };
        using (var session = TrainingSession.Prepare(config, pipeline, events))
        {
            var error = Assert.ThrowsAny<LabException>(() => session.Run());
            Assert.StartsWith(
                "The loss has exploded, and stop_on_spike ends the training: in steps 34 to 38 it was ", error.Message,
                StringComparison.Ordinal);
            Assert.Contains("checkpoint-20 is from before it", error.Message, StringComparison.Ordinal);
            Assert.Equal(20, session.StepsDone);
        }

        Assert.Equal(38, seen.Count);
        Assert.False(File.Exists(Path.Combine(config.OutputDir, "pytorch_lora_weights.safetensors")));

        Scale(pipeline, 1.0 / 64);

        // The checkpoint continues as a run that never exploded.
        TrainingSession.Train(
            config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest, MaxTrainSteps = 25, StopOnSpike = false }, pipeline);
        TrainingSession.Train(config with { OutputDir = Path.Combine(_folder, "whole"), MaxTrainSteps = 25 }, pipeline);
        Assert.Equal(Lora("whole"), Lora("run"));

        byte[] Lora(string run) => File.ReadAllBytes(Path.Combine(_folder, run, "pytorch_lora_weights.safetensors"));
    }

    [Fact]
    public void Train_LossThatExplodesRightAfterAResume_GoesBackToItsBegin()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Resumable;
        TrainingSession.Train(config with { MaxTrainSteps = 25, CheckpointingSteps = 25 }, pipeline);
        Assert.Equal(25, Explode(config, pipeline, after: 26, out var message));
        Assert.Contains("in steps 27 to 31 it was ", message, StringComparison.Ordinal);
        Assert.Contains("checkpoint-25 is from before it", message, StringComparison.Ordinal);
        Assert.Equal([25], TrainingCheckpoint.List(config.OutputDir).Select(there => there.Step));
    }

    [Fact]
    public void Train_ResumedWithinASpike_NamesTheCheckpointBefore()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Resumable;
        using (var session = TrainingSession.Prepare(
            config with { MaxTrainSteps = 30, StopOnSpike = false, ResumeFromCheckpoint = null }, pipeline, Spoiling(pipeline, 25)))
            session.Run();
        Scale(pipeline, 1.0 / 64);
        Assert.Equal(31, Explode(config, pipeline, after: 30, out var message));
        Assert.Contains("checkpoint-20 is from before it", message, StringComparison.Ordinal);
        Assert.Equal([10, 20, 30], TrainingCheckpoint.List(config.OutputDir).Select(there => there.Step));
    }

    private DreamBoothConfig Resumable => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
    {
        LearningRate = 1e-4,
        MaxTrainSteps = 60,
        CheckpointingSteps = 10,
        ResumeFromCheckpoint = TrainingCheckpoint.Latest,
        StopOnSpike = true,
        SpikeFactor = 3,
        ReportTo = "none",
    };

    private static TrainingEvents Spoiling(StableDiffusion3Pipeline pipeline, int after) => new()
    {
        OnStep = record =>
        {
            if (record.Step == after)
                Scale(pipeline, 64);
        },
    };

    // The step at which the session stands then.
    private static int Explode(DreamBoothConfig config, StableDiffusion3Pipeline pipeline, int after, out string message)
    {
        using var session = TrainingSession.Prepare(config, pipeline, Spoiling(pipeline, after));
        if (session.StepsDone == after)
            Scale(pipeline, 64);
        message = Assert.ThrowsAny<LabException>(() => session.Run()).Message;
        return session.StepsDone;
    }

    private static void Scale(StableDiffusion3Pipeline pipeline, double factor)
    {
        using var noGradients = TorchSharp.torch.no_grad();
        using var scope = TorchSharp.torch.NewDisposeScope();
        pipeline.Transformer.ProjOut.Weight.mul_(factor);
    }
}
