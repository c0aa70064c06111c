using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class TrainingRunTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly TemporaryFolder _folder = new();

    public TrainingRunTests() => _pictures.AddMany(3);

    public void Dispose()
    {
        _pictures.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Read_AFinishedTraining_TellsStepsLossAndPictures()
    {
        File.WriteAllText(Path.Combine(_pictures.Folder, "0.txt"), "a gmc cat asleep");
        var config = Config("one");
        TrainingSession.Train(config);
        var run = TrainingRun.Read(config.OutputDir);
        Assert.Equal((RunState.Finished, 2, (int?)2), (run.State, run.Steps, run.MaxSteps));
        Assert.Equal(run.Records.Average(record => record.Loss), run.LastLoss!.Value, 12);
        Assert.True(run.Bytes > new FileInfo(Path.Combine(config.OutputDir, "pytorch_lora_weights.safetensors")).Length);
        Assert.Equal(3, run.Record!.Pictures.Count);
        Assert.NotNull(run.Record.EndedAt);
        Assert.Null(run.Record.Message);
    }

    [Fact]
    public void Read_ATrainingThatWasCancelledFailedOrKilled_SaysSo()
    {
        using var source = new CancellationTokenSource();
        var cancelled = Config("cancelled") with { CheckpointingSteps = 1 };
        TrainingSession.Train(
            cancelled, new TrainingEvents
            {
                OnStart = _ => Assert.Equal(RunState.Running, State("cancelled")),
                OnStep = _ => source.Cancel(),
            },
            source.Token);
        Assert.Equal(RunState.Interrupted, State("cancelled"));

        var failed = Config("failed");
        Assert.Throws<NonFiniteException>(() => TrainingSession.Train(failed with { LoraAlpha = 1e30 }));
        Assert.Equal(RunState.Failed, State("failed"));
        Assert.Contains("lora_alpha is 1E+30", RunRecord.Read(failed.OutputDir)!.Message, StringComparison.Ordinal);

        var killed = RunRecord.Read(cancelled.OutputDir)! with { State = RunState.Running };
        killed.Write(cancelled.OutputDir);
        Assert.Equal(RunState.Interrupted, State("cancelled"));
        using (RunFolder.Open(cancelled.OutputDir, "training", "output_dir"))
            Assert.Equal(RunState.Running, State("cancelled"));

        TrainingSession.Train(cancelled with { ResumeFromCheckpoint = TrainingCheckpoint.Latest });
        Assert.Equal(RunState.Finished, State("cancelled"));
        Assert.Equal(killed.StartedAt, RunRecord.Read(cancelled.OutputDir)!.StartedAt);
    }

    [Fact]
    public void List_FoldersOfAllKinds_FindsTrainingsAndNamesThoseThatCannotBeRead()
    {
        TrainingSession.Train(Config("a/b"));
        var damaged = Directory.CreateDirectory(Out("damaged")).FullName;
        File.WriteAllText(Path.Combine(damaged, "recipe.json"), "{");
        File.WriteAllText(Path.Combine(damaged, "steps.jsonl"), string.Empty);
        Directory.CreateDirectory(Out("empty"));
        List<string> faults = [];
        Assert.Equal([Out("a/b")], TrainingRun.List(_folder.Path, faults.Add).Select(run => run.Folder));
        Assert.StartsWith($"{damaged} is left out: ", Assert.Single(faults), StringComparison.Ordinal);
        Assert.Contains("is no training's output folder", Assert.Throws<LabException>(() => TrainingRun.Read(Out("empty"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Between_TwoTrainings_TellsOptionsPicturesAndCaptions()
    {
        TrainingSession.Train(Config("one"));
        var one = TrainingRun.Read(Out("one"));
        Assert.False(RunDifference.Between(one, one).IsAny);
        var pictures = one.Record!.Pictures;
        var two = one with
        {
            Recipe = one.Recipe with { Rank = 8, OutputDir = "elsewhere" },
            Record = one.Record with
            {
                DataSha256 = "other",
                Pictures = [pictures[0] with { Caption = "a gmc cat asleep" }, pictures[1], new RunPicture("new.png", "0", null)],
            },
        };
        var difference = RunDifference.Between(one, two);
        Assert.Equal([new RunOption("rank", "2", "8")], difference.Recipe);
        Assert.False(difference.SameData);
        Assert.Equal(["new.png"], difference.Added);
        Assert.Equal([pictures[2].Name], difference.Removed);
        Assert.Equal([new RunOption(pictures[0].Name, "–", "a gmc cat asleep")], difference.Captions);
        Assert.Null(RunDifference.Between(one, two with { Record = null }).SameData);
    }

    private RunState State(string name) => TrainingRun.Read(Out(name)).State;

    private string Out(string name) => Path.Combine(_folder.Path, name);

    private DreamBoothConfig Config(string name) => TinyTraining.Run(_pictures.Folder, Out(name)) with
    {
        Tokenizers = TinyTokenizers.Root,
        Rank = 2,
        MaxTrainSteps = 2,
    };
}
