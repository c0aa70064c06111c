using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>What a training does with its output folder before it loads anything.</summary>
public sealed class TrainingOutputTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-output-").FullName;
    private readonly List<string> _warnings = [];

    public TrainingOutputTests()
    {
        Directory.CreateDirectory(Out("photos", "inner"));
        Directory.CreateSymbolicLink(Out("link"), Out("photos"));
    }

    private DreamBoothConfig Config => new()
    {
        PretrainedModelNameOrPath = "model",
        InstanceDataDir = Out("photos"),
        InstancePrompt = "a photo of gmc cat",
        OutputDir = Out("run"),
        MaxTrainSteps = 6,
        Seed = 1,
    };

    private DreamBoothConfig Latest => Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_FolderOfAnotherTrainingAtWork_SaysWhoHoldsIt()
    {
        using var first = TrainingOutput.Open(Config, _warnings.Add);
        var error = Assert.Throws<LabException>(() => TrainingOutput.Open(Config with { Seed = 2 }, _warnings.Add));
        Assert.StartsWith($"{Out("run")} is in use by training in this very process on ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_LoraOfAnotherSubject_IsRefusedAndLeftAlone()
    {
        WriteRun(Config, 2);
        var before = Files();
        Refused("holds the LoRA of another subject: its instance_prompt is 'a photo of gmc cat', and this training's is 'a dog'",
            Config with { InstancePrompt = "a dog" });
        Refused($"its instance_data_dir is {Out("photos")}, and this training's is {Out("others")}",
            Config with { InstanceDataDir = Out("others") });
        File.Delete(Out("run", "recipe.json"));
        Refused("another subject", Config with { InstancePrompt = "a dog" });
        File.WriteAllText(Out("run", "recipe.json"), Config.ToJson());
        Assert.Equal(before, Files());
        TrainingOutput.Open(Config with { InstanceDataDir = Out("link"), Rank = 8 }, _warnings.Add).Dispose();
        Assert.Equal(before, Files());
    }

    [Fact]
    public void Open_LoraWithNothingThatSaysWhose_IsRefused()
    {
        Write(Out("run", LoraFile.DefaultName));
        Refused("but no recipe.json that says what it was trained on", Config);
        File.Delete(Out("run", LoraFile.DefaultName));
        Write(Out("run", "checkpoint-500", LoraFile.DefaultName));
        Refused("holds checkpoint-500, but no recipe.json", Config);
    }

    [Fact]
    public void ClearWhatIsReplaced_OverwriteOutputDir_RemovesTheOtherSubjectsResultAlone()
    {
        WriteRun(Config, 2, 4);
        Write(Out("run", "checkpoint-500", LoraFile.DefaultName));
        Write(Out("run", "mine.txt"));
        using (var same = TrainingOutput.Open(Config with { OverwriteOutputDir = true }, _warnings.Add))
            same.ClearWhatIsReplaced();
        Assert.Equal(3, TrainingCheckpoint.List(Out("run")).Count);
        using var output = TrainingOutput.Open(Config with { OverwriteOutputDir = true, InstancePrompt = "a dog" }, _warnings.Add);
        Assert.Equal(3, TrainingCheckpoint.List(Out("run")).Count);
        output.ClearWhatIsReplaced();
        Assert.Equal(
            [Path.Combine("checkpoint-500", LoraFile.DefaultName), "mine.txt", "recipe.json"],
            Files().Where(file => !file.StartsWith('.')));
    }

    [Theory]
    [InlineData("recipe.json", "{ \"rank\": ")]
    [InlineData("recipe.json", "{ \"rank\": 4, \"option_of_a_newer_program\": 1 }")]
    [InlineData("checkpoint-2/training_state.json", "[]")]
    public void Open_DamagedOrNewerFile_IsReplacedWhereThatIsAskedFor(string name, string content)
    {
        WriteRun(Config, 2);
        if (name != "recipe.json")
            File.Delete(Out("run", "recipe.json"));
        File.WriteAllText(Out("run", name), content);
        Refused("holds a LoRA, and what it was trained on cannot be told: ", Config);
        Assert.StartsWith(Out("run") + " holds a LoRA, and what", TrainingOutput.Refuses(Config), StringComparison.Ordinal);
        Assert.Null(TrainingOutput.Refuses(Config with { OverwriteOutputDir = true }));
        using var output = TrainingOutput.Open(Config with { OverwriteOutputDir = true }, _warnings.Add);
        output.ClearWhatIsReplaced();
        Assert.False(File.Exists(Out("run", LoraFile.DefaultName)));
        Assert.Empty(TrainingCheckpoint.List(Out("run")));
    }

    [Fact]
    public void Train_CheckpointOfOtherSettings_IsRefusedBeforeAnythingIsLoaded()
    {
        WriteRun(Config, 2);
        var error = Assert.Throws<LabException>(() => TrainingSession.Train(Latest with { Rank = 8, Device = "cpu" }));
        Assert.Contains("it is of a run with other settings: rank was 4 and is 8", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "checkpoint-2/training_state.json cannot be read: It has no content: ")]
    [InlineData("[]", "checkpoint-2/training_state.json is []; valid is a JSON object.")]
    [InlineData("""{"step": "two"}""", "checkpoint-2/training_state.json: step is \"two\"; valid is ")]
    [InlineData("""{"step": 2}""", "checkpoint-2/training_state.json: ")]
    [InlineData("STATE with step 7", "checkpoint-2 cannot be gone on from: its training_state.json is of step 7, its name of step 2.")]
    [InlineData("STATE with rank four", "checkpoint-2/training_state.json: rank is '\"four\"'; valid is a whole number")]
    public void Train_ResumeFromADamagedState_IsOneLineThatNamesIt(string content, string message)
    {
        WriteRun(Config, 2);
        var path = Out("run", "checkpoint-2", TrainingState.FileName);
        var state = JsonNode.Parse(File.ReadAllText(path))!;
        if (content.EndsWith("step 7", StringComparison.Ordinal))
            state["step"] = 7;
        else if (content.StartsWith("STATE", StringComparison.Ordinal))
            state["recipe"]!["rank"] = "four";
        File.WriteAllText(path, content.StartsWith("STATE", StringComparison.Ordinal) ? state.ToJsonString() : content);
        var error = Assert.ThrowsAny<LabException>(() => TrainingSession.Train(Latest with { Device = "cpu" })).Message;
        Assert.Contains(message, error.Replace('\\', '/'), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
        Assert.True(File.Exists(Out("run", LoraFile.DefaultName)));
    }

    [Theory]
    [InlineData("recipe.json")]
    [InlineData("steps.jsonl")]
    [InlineData("pytorch_lora_weights.safetensors")]
    [InlineData("comfyui_lora_weights.safetensors")]
    [InlineData("kohya_lora_weights.safetensors")]
    public void Open_FolderInTheWayOfAResult_IsNamedBeforeTheTraining(string name)
    {
        Directory.CreateDirectory(Out("run", name));
        Refused($"{Out("run", name)} is a folder, and a training writes a file of that name. Remove it", Config);
    }

    [Theory]
    [InlineData("validation")]
    [InlineData("peft")]
    public void Open_FileInTheWayOfAFolder_IsNamedBeforeTheTraining(string name)
    {
        Write(Out("run", name));
        Refused($"{Out("run", name)} is a file, and a training writes a folder of that name. Remove it", Config);
    }

    [Fact]
    public void Open_ResumeBesideADamagedRecipe_GoesOn()
    {
        WriteRun(Config, 2);
        File.WriteAllText(Out("run", "recipe.json"), "{ \"rank\": ");
        using var output = TrainingOutput.Open(Latest, _warnings.Add);
        Assert.Equal(2, output.Checkpoint!.Step);
    }

    [Fact]
    public void Open_LatestOfAnotherProgram_SaysSo()
    {
        Write(Out("run", "checkpoint-500", LoraFile.DefaultName));
        Write(Out("run", "checkpoint-500", "optimizer.bin"));
        Refused($"{Out("run", "checkpoint-500")} was written by another program (it holds no training_state.json)", Latest);
        Assert.Empty(_warnings);
    }

    [Fact]
    public void Open_LatestThatLacksAFile_TakesTheOneBefore()
    {
        WriteRun(Config, 2, 4);
        File.Delete(Out("run", "checkpoint-4", "optimizer.safetensors"));
        using (var output = TrainingOutput.Open(Latest, _warnings.Add))
            Assert.Equal(2, output.Checkpoint!.Step);
        Refused("checkpoint-4 lacks optimizer.safetensors", Config with { ResumeFromCheckpoint = "checkpoint-4" });
    }

    [Fact]
    public void Open_KilledRunsLeftovers_AreCleared()
    {
        WriteRun(Config, 2, 4, 6);
        Directory.Delete(Out("run", $"checkpoint-2"), recursive: true);
        Write(Out("run", "checkpoint-2", "training_state.json"));
        File.Delete(Out("run", "checkpoint-4", "training_state.json"));
        for (var i = 0; i < 19; i++)
            Write(Out("run", $".checkpoint-8.{Guid.NewGuid():N}.tmp", LoraFile.DefaultName));
        Write(Out("run", $".{LoraFile.DefaultName}.{Guid.NewGuid():N}.tmp"));
        TrainingOutput.Open(Latest, _warnings.Add).Dispose();
        Assert.Equal(["checkpoint-4", "checkpoint-6"], Directory.GetDirectories(Out("run")).Select(Path.GetFileName).Order());
        Assert.Equal(["pytorch_lora_weights.safetensors", "recipe.json"], Directory.GetFiles(Out("run")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Open_ClockSetBack_NewestIsTheLastStepOfTheLastStart()
    {
        // An earlier training by a clock that ran ahead, and a later one whose clock was set back in the middle.
        WriteRun(Config, 10, 20, 30);
        foreach (var step in new[] { 10, 20, 30 })
            Edit(step, started: "2040-01-01T00:00:00+00:00", written: $"2040-01-01T00:00:{step}+00:00");
        using (var output = TrainingOutput.Open(Config, _warnings.Add))
        {
            Assert.Equal(new DateTimeOffset(2040, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(1), output.StartedAt);
            foreach (var (step, written) in new[] { (5, "2026-01-01T12:00:00+00:00"), (6, "2026-01-01T11:00:00+00:00") })
            {
                WriteCheckpoint(Config, step);
                Edit(step, output.StartedAt.ToString("O"), written);
            }
        }

        using var again = TrainingOutput.Open(Latest, _warnings.Add);
        Assert.Equal(6, again.Checkpoint!.Step);
        Assert.Equal([6, 5, 30, 20, 10], Remaining(5));
        Assert.Equal([6, 5], Remaining(2));

        int[] Remaining(int limit)
        {
            TrainingCheckpoint.Prune(Out("run"), limit);
            var left = TrainingCheckpoint.List(Out("run")).ToList();
            var order = new List<int>();
            while (TrainingCheckpoint.Newest(left) is { } newest)
            {
                order.Add(newest.Step);
                left.Remove(newest);
            }

            return [.. order];
        }
    }

    [Fact]
    public void FinishedSteps_LastStepsLoraIsSaved_TellsThemWithoutAModel()
    {
        WriteRun(Config, 4, 6);
        Assert.Equal(6, Finished(Latest));
        Assert.Equal(6, Finished(Latest with { Seed = null }));
        Assert.Null(Finished(Latest with { MaxTrainSteps = 8 }));
        Assert.Null(Finished(Latest with { LearningRate = 1 }));
        Assert.Null(Finished(Config));
        File.WriteAllText(Out("run", LoraFile.DefaultName), "the LoRA of an earlier step");
        Assert.Null(Finished(Latest));

        int? Finished(DreamBoothConfig config)
        {
            using var output = TrainingOutput.Open(config, _warnings.Add);
            return output.FinishedSteps;
        }
    }

    [Theory]
    [InlineData("photos", "run", "class_data_dir")]
    [InlineData("photos/../photos/", "run", "class_data_dir")]
    [InlineData("link", "run", "class_data_dir")]
    [InlineData("link/inner/new", "run", "class_data_dir")]
    [InlineData(".", "run", "class_data_dir")]
    [InlineData("class", "photos", "output_dir")]
    [InlineData("class", "link/lora", "output_dir")]
    [InlineData("class", "class", "output_dir")]
    public void Open_FoldersInOneAnother_IsAWrongOption(string classes, string output, string option)
    {
        var error = Assert.Throws<UsageException>(() => TrainingOutput.Open(
            Config with { WithPriorPreservation = true, ClassPrompt = "a cat", ClassDataDir = Out(classes), OutputDir = Out(output) },
                _warnings.Add));
        Assert.StartsWith(option, error.Message, StringComparison.Ordinal);
        Assert.Equal(["link", "photos"], Directory.GetFileSystemEntries(_folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Open_ClassPicturesUnderTheOutput_AreFine()
    {
        using var output = TrainingOutput.Open(
            Config with { WithPriorPreservation = true, ClassPrompt = "a cat", ClassDataDir = Out("run", "class") }, _warnings.Add);
    }

    private void Refused(string message, DreamBoothConfig config) =>
        Assert.Contains(message, Assert.Throws<LabException>(() => TrainingOutput.Open(config, _warnings.Add)).Message,
            StringComparison.Ordinal);

    private void WriteRun(DreamBoothConfig config, params int[] steps)
    {
        foreach (var step in steps)
            WriteCheckpoint(config, step);
        Write(Out("run", LoraFile.DefaultName));
        File.WriteAllText(Out("run", "recipe.json"), config.ToJson());
    }

    private void WriteCheckpoint(DreamBoothConfig config, int step)
    {
        Write(Out("run", $"checkpoint-{step}", LoraFile.DefaultName));
        Write(Out("run", $"checkpoint-{step}", "optimizer.safetensors"));
        TrainingState.Write(Out("run", $"checkpoint-{step}"), config, step, "data", DateTimeOffset.UnixEpoch);
    }

    private void Edit(int step, string started, string written)
    {
        var path = Out("run", $"checkpoint-{step}", TrainingState.FileName);
        var state = JsonNode.Parse(File.ReadAllText(path))!;
        (state["started_at"], state["written_at"]) = (started, written);
        File.WriteAllText(path, state.ToJsonString());
    }

    private static void Write(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "x");
    }

    private string[] Files() =>
    [
        .. Directory.GetFiles(Out("run"), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Out("run"), file)).Order(StringComparer.Ordinal),
    ];

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
