using System.Diagnostics;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class TrainingQueueTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly TemporaryFolder _folder = new();
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly List<DreamBoothConfig> _trained = [];

    public TrainingQueueTests() => _pictures.AddMany(3);

    private string Page => File.ReadAllText(Path.Combine(_folder.Path, "queue.html"));

    public void Dispose()
    {
        _pictures.Dispose();
        _folder.Dispose();
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void Run_OneFails_TheOthersAreTrainedAndOnlyItIsTriedAgain()
    {
        var entries = new[] { Entry(1, "one"), Entry(2, "two"), Entry(3, "three") };
        Assert.Equal(
            ExitCode.Failure,
            Run(entries, config => config.OutputDir.EndsWith("two", StringComparison.Ordinal) ? (1, "no luck") : Train(config)));
        Assert.Equal(["one", "two", "three"], Trained());
        Assert.Contains("2 of 3 trainings finished, 1 failed, 0 not done.", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("two failed: no luck", _error.ToString(), StringComparison.Ordinal);
        Assert.Contains("2 of 3 trainings done", Page, StringComparison.Ordinal);
        Assert.Contains("no luck", Page, StringComparison.Ordinal);
        Assert.DoesNotContain("http-equiv", Page, StringComparison.Ordinal);

        _trained.Clear();
        Assert.Equal(ExitCode.Success, Run(entries, Train));
        Assert.Equal(["two"], Trained());
        Assert.Contains("one (line 1): finished by an earlier run", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("3 of 3 trainings done", Page, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_Interrupted_GoesOnFromItsCheckpointAndGivesTheSameLora()
    {
        using var source = new CancellationTokenSource();
        var entry = Entry(1, "one", 6) with { Config = Entry(1, "one", 6).Config with { CheckpointingSteps = 2 } };
        (int, string?) Interrupted(DreamBoothConfig config)
        {
            TrainingSession.Train(
                config, new TrainingEvents { OnStep = record => CancelAt(record, 3, source) }, source.Token);
            return (ExitCode.Cancelled, null);
        }

        Assert.Equal(ExitCode.Cancelled, Run([entry, Entry(2, "two")], Interrupted, source.Token));
        Assert.Equal(["one"], Trained());
        Assert.Contains("0 of 2 trainings finished, 0 failed, 2 not done.", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Success, Run([entry], Train));
        Assert.Equal(TrainingCheckpoint.Latest, _trained[^1].ResumeFromCheckpoint);
        Assert.Contains("one (line 1): was interrupted, goes on from its last checkpoint", _output.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, Train(entry.Config with { OutputDir = Out("whole") }).Code);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(Out("whole"), "pytorch_lora_weights.safetensors")),
            File.ReadAllBytes(Path.Combine(Out("one"), "pytorch_lora_weights.safetensors")));
    }

    [Fact]
    public void Run_ALineThatHasChanged_IsToldAndTrainedAnew()
    {
        var entry = Entry(1, "one");
        Assert.Equal(ExitCode.Success, Run([entry], Train));
        Assert.Equal(ExitCode.Success, Run([entry with { Config = entry.Config with { Rank = 3 } }], Train));
        Assert.Contains(
            "one (line 1): its line has changed, so that it is trained anew: rank was 2 and is 3", _output.ToString(),
            StringComparison.Ordinal);
        Assert.Equal(2, _trained.Count);
        File.Delete(Path.Combine(Out("one"), "pytorch_lora_weights.safetensors"));
        Assert.Equal(ExitCode.Success, Run([entry with { Config = entry.Config with { Rank = 3 } }], Train));
        Assert.Equal(3, _trained.Count);
    }

    [Fact]
    public void Run_PhotosAddedToAFinishedTraining_IsToldAndTrainedAnew()
    {
        var entry = Entry(1, "one");
        Assert.Equal(ExitCode.Success, Run([entry], Train));
        _pictures.Add("new.png", seed: 8);
        Assert.Equal(ExitCode.Success, Run([entry], Train));
        Assert.Contains(
            "one (line 1): its pictures or captions have changed, so that it is trained anew", _output.ToString(),
            StringComparison.Ordinal);
        Assert.Equal(ExitCode.Success, Run([entry], Train));
        Assert.Equal(2, _trained.Count);
    }

    [Fact]
    public void Run_ChangedLinesAndCancelled_CountsThoseAsNotDone()
    {
        QueueEntry[] entries = [Entry(1, "one"), Entry(2, "two")];
        Assert.Equal(ExitCode.Success, Run(entries, _ => (0, null)));
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Equal(
            ExitCode.Cancelled,
            Run([.. entries.Select(entry => entry with { Config = entry.Config with { Seed = 6 } })], Train, source.Token));
        Assert.EndsWith(
            "0 of 2 trainings finished, 0 failed, 2 not done. The page: " + Path.Combine(_folder.Path, "queue.html"),
            _output.ToString().TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(2, _trained.Count);
    }

    [Fact]
    public void Run_WhatWouldStopATraining_StartsNone()
    {
        var entry = Entry(2, "two");
        var error = Assert.Throws<LabException>(
            () => Run([Entry(1, "one"), entry with { Config = entry.Config with { InstanceDataDir = Out("nowhere") } }], Train));
        Assert.Contains("line 2: photos: The picture folder", error.Message, StringComparison.Ordinal);
        Assert.Empty(_trained);
    }

    [Fact]
    public void Run_InAFolderWithAQueueThatRuns_IsRefused()
    {
        (int, string?) Second(DreamBoothConfig config)
        {
            Assert.Contains(
                "is in use by queue in this very process",
                Assert.Throws<LabException>(() => Run([Entry(1, "one")], Train)).Message, StringComparison.Ordinal);
            Assert.Contains("http-equiv=\"refresh\"", Page, StringComparison.Ordinal);
            return (0, null);
        }

        Run([Entry(1, "one")], Second);
        Assert.Single(_trained);
    }

    // The program itself, whose trainings are processes.
    [Fact]
    public async Task Train_AQueue_TrainsEachLineInAProcessOfItsOwn()
    {
        var file = Path.Combine(_folder.Path, "runs.jsonl");
        File.WriteAllLines(file, [Line("good", 1), Line("bad", 1, ", \"lora_alpha\": 1e30")]);
        var start = new ProcessStartInfo("dotnet", [LabProgram.Assembly, "train", "--queue", file, "--device=cpu"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["OMP_NUM_THREADS"] = "1";
        using var process = Process.Start(start)!;
        var told = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = await told;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 1, output + error);
        Assert.Contains("1 of 2 trainings finished, 1 failed", output, StringComparison.Ordinal);
        Assert.Contains("bad failed: ", error, StringComparison.Ordinal);
        Assert.Contains("lora_alpha is 1E+30", Page, StringComparison.Ordinal);
        Assert.Equal(RunState.Finished, RunRecord.Read(Out("good"))!.State);
        Assert.Equal(
            ["queue.html", "queue.json", "runs.jsonl"],
            Directory.GetFiles(_folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
    }

    private static void CancelAt(StepRecord record, int step, CancellationTokenSource source)
    {
        if (record.Step == step)
            source.Cancel();
    }

    private static (int Code, string? Message) Train(DreamBoothConfig config)
    {
        TrainingSession.Train(config);
        return (0, null);
    }

    private string Line(string name, int steps, string more = "") =>
        $$"""{"name": "{{name}}", "output_dir": "{{Out(name)}}", "pretrained_model_name_or_path": "{{TinyPipeline.Folder}}", """
        + $$""" "tokenizers": "{{TinyTokenizers.Root}}", """
        + $$""" "instance_data_dir": "{{_pictures.Folder}}", "instance_prompt": "a photo of gmc cat", "resolution": 32, """
        + """ "train_batch_size": 1, """
        + $$""" "max_sequence_length": 32, "rank": 2, "seed": 5, "max_train_steps": {{steps}}{{more}}}""";

    private string Out(string name) => Path.Combine(_folder.Path, "out", name);

    private QueueEntry Entry(int line, string name, int steps = 1) => new(line, name, new DreamBoothConfig
    {
        PretrainedModelNameOrPath = TinyPipeline.Folder,
        Tokenizers = TinyTokenizers.Root,
        InstanceDataDir = _pictures.Folder,
        InstancePrompt = "a photo of gmc cat",
        OutputDir = Out(name),
        Resolution = 32,
        TrainBatchSize = 1,
        MaxSequenceLength = 32,
        Rank = 2,
        Seed = 5,
        Device = "cpu",
        MaxTrainSteps = steps,
    });

    private string[] Trained() => [.. _trained.Select(config => Path.GetFileName(config.OutputDir))];

    private int Run(
        IReadOnlyList<QueueEntry> entries, Func<DreamBoothConfig, (int, string?)> train, CancellationToken cancellation = default) =>
        new TrainingQueue(
            Path.Combine(_folder.Path, "runs.jsonl"), entries, new Session(_output, _error, false, cancellation), (config, meanwhile) =>
            {
                _trained.Add(config);
                meanwhile();
                return train(config);
            }).Run();
}
