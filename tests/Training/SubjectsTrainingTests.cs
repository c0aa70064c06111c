using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class SubjectsTrainingTests : IDisposable
{
    private readonly PictureSamples _cats = new();
    private readonly PictureSamples _dogs = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-subjects-").FullName;

    public SubjectsTrainingTests()
    {
        _cats.AddMany(2);
        _dogs.Add("a.png", seed: 5);
        _dogs.AddText("a.txt", "tzk dog asleep");
    }

    public void Dispose()
    {
        _cats.Dispose();
        _dogs.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private DreamBoothConfig Config(string run = "run", string dog = "\"loss_weight\": 2") => TinyTraining.Run(string.Empty, Out(run)) with
    {
        InstancePrompt = string.Empty,
        Subjects = File(dog),
        WithPriorPreservation = true,
        NumClassImages = 2,
        MaxTrainSteps = 4,
        Tokenizers = TinyTokenizers.Root,
    };

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);

    private string File(string dog)
    {
        var path = Out("mine.json");
        System.IO.File.WriteAllText(path, $$"""
            [
              {
                "instance_data_dir": "{{_cats.Folder}}", "instance_prompt": "gmc cat", "class_prompt": "a cat",
                "class_data_dir": "{{Out("cats")}}"
              },
              {
                "instance_data_dir": "{{_dogs.Folder}}", "instance_prompt": "tzk dog", "repeats": 2, "class_prompt": "a dog",
                "class_data_dir": "{{Out("dogs")}}", "num_class_images": 1, {{dog}}
              }
            ]
            """);
        return path;
    }

    private string Edited(string text, string by)
    {
        var path = File("\"loss_weight\": 1");
        System.IO.File.WriteAllText(path, System.IO.File.ReadAllText(path).Replace(text, by, StringComparison.Ordinal));
        return path;
    }

    [Fact]
    public void Train_TwoSubjects_MakesBothClassesAndResumesBitByBit()
    {
        using var pipeline = TinyPipeline.Load();
        List<string> said = [];
        TrainingSession.Train(Config("whole"), pipeline, new TrainingEvents { OnSummary = said.Add });
        Assert.Equal((2, 1), (Pictures("cats"), Pictures("dogs")));
        Assert.Contains(said, line => line.StartsWith("Subject 1 of 2: 2 pictures in", StringComparison.Ordinal));
        Assert.Contains(said, line => line.EndsWith("each 2 times an epoch, with 2 times the loss", StringComparison.Ordinal));
        Assert.Contains($"1 class pictures in {Out("dogs")}, with the prompt \"a dog\"", said);

        using (var session = TrainingSession.Prepare(Config() with { CheckpointingSteps = 2 }, pipeline))
        {
            Assert.Equal((4, 3, 4), (session.Dataset.InstanceCount, session.Dataset.ClassCount, session.Dataset.Count));
            Assert.Equal(["gmc cat", "tzk dog asleep", "a cat", "a dog"], session.Dataset.DistinctPrompts);
            session.Run(until: 3);
        }

        TrainingSession.Train(Config() with { ResumeFromCheckpoint = TrainingCheckpoint.Latest }, pipeline);
        Assert.Equal(
            System.IO.File.ReadAllBytes(Out("whole", LoraFile.DefaultName)), System.IO.File.ReadAllBytes(Out("run", LoraFile.DefaultName)));
        Assert.Equal(System.IO.File.ReadAllText(Out("mine.json")), System.IO.File.ReadAllText(Out("run", SubjectsFile.CopyName)));

        var again = Config(dog: "\"loss_weight\": 3") with { ResumeFromCheckpoint = TrainingCheckpoint.Latest, MaxTrainSteps = 6 };
        var error = Assert.Throws<LabException>(() => TrainingSession.Train(again, pipeline));
        Assert.Contains("captions are not those it was trained on", error.Message, StringComparison.Ordinal);

        int Pictures(string of) => Directory.GetFiles(Out(of), "*.jpg").Length;
    }

    [Fact]
    public void Rows_EachSubject_GoesWithItsOwnClass()
    {
        using var pipeline = TinyPipeline.Load();
        PriorPictures.Make(Config(), pipeline);
        var rows = DreamBoothDataset.Load(Config().DatasetOptions()).Rows([0, 1, 2, 3], 0);
        Assert.Equal(
            ["gmc cat", "gmc cat", "tzk dog asleep", "tzk dog asleep", "a cat", "a cat", "a dog", "a dog"], rows.Select(row => row.Prompt));
        Assert.Equal([1, 1, 2, 2, 1, 1, 1, 1], rows.Select(row => row.LossWeight));
        string[] folders = [Out("cats"), Out("cats"), Out("dogs"), Out("dogs")];
        Assert.Equal(folders, rows.Skip(4).Select(row => Path.GetDirectoryName(row.View.Path)));
    }

    [Fact]
    public void Train_OnTwoRanks_IsTheTrainingOfOne()
    {
        using (var pipeline = TinyPipeline.Load())
            TrainingSession.Train(Config("one") with { GradientAccumulationSteps = 2 }, pipeline);
        var both = Config("two");   // writes the subjects' file, which one rank must not do while the other reads
        RankThreads.Run(2, ranks => TrainingSession.Train(both, ranks, null, default));
        using var scope = NewDisposeScope();
        var (one, two) = (Weights("one"), Weights("two"));
        Assert.All(one.Zip(two), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));

        float[] Weights(string run)
        {
            using var file = SafetensorsFile.Open(Out(run, LoraFile.DefaultName));
            return [.. file.Tensors.Keys.Order(StringComparer.Ordinal).SelectMany(name => file.Load(name).data<float>().ToArray())];
        }
    }

    [Fact]
    public void Open_LoraOfOtherSubjects_IsRefused()
    {
        using var pipeline = TinyPipeline.Load();
        TrainingSession.Train(Config() with { MaxTrainSteps = 1 }, pipeline);
        var config = Config() with { Subjects = Edited("tzk dog", "zwx dog") };
        var error = Assert.Throws<LabException>(() => TrainingSession.Train(config, pipeline));
        Assert.Contains(
            "its prompts are 'gmc cat', 'tzk dog', and this training's are 'gmc cat', 'zwx dog'", error.Message, StringComparison.Ordinal);
        var single = TinyTraining.Run(_cats.Folder, Out("run")) with { InstancePrompt = "gmc cat" };
        Assert.Contains(
            "and this training's are 'gmc cat'", Assert.Throws<LabException>(() => TrainingSession.Train(single, pipeline)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Train_WrongSubjects_AreToldBeforeTheModelIsLoaded()
    {
        var config = Config() with { PretrainedModelNameOrPath = Out("no model") };
        Fails(
            "subject 2: with_prior_preservation needs its class_prompt",
            config with { Subjects = Edited("\"class_prompt\": \"a dog\",", "") });
        Fails("output_dir", config with { Subjects = File("\"loss_weight\": 1"), OutputDir = _cats.PathOf("in") });
        Fails("subjects goes without instance_data_dir and instance_prompt", config with { InstancePrompt = "a cat" });
        Fails(
            "evaluation_steps does not go with subjects", config with { EvaluationSteps = 1, ValidationPrompt = "a cat" });
        Fails("instance_data_dir is missing. instance_prompt is missing.", config with { Subjects = null, WithPriorPreservation = false });

        static void Fails(string message, DreamBoothConfig config) => Assert.Contains(
            message, Assert.ThrowsAny<LabException>(() => TrainingSession.Train(config)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_TwoSubjects_CountsBoth()
    {
        var checks = Preflight.Check(Config(), memory: 1L << 34);
        Assert.Equal(2, checks.Count(check => check.Subject == "photos"));
        Assert.Equal(2, checks.Count(check => check.Subject == "captions"));
        Assert.Equal(3, Config().AllClassImages());
        Assert.Contains(
            Preflight.Check(Config(dog: "\"weight\": 1")), check => check.Subject == "subjects" && check.Status == PreflightStatus.Problem);
    }

    [Fact]
    public void Train_PhotosAddedToAFinishedRun_SaysHowToTrainOnThem()
    {
        var config = TinyTraining.Run(_cats.Folder, Out("run")) with
        {
            MaxTrainSteps = 1,
            CheckpointingSteps = 1,
            Tokenizers = TinyTokenizers.Root,
        };
        Assert.False(TrainingSession.Train(config).WasFinished);
        var again = config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
        Assert.True(TrainingSession.Train(again).WasFinished);
        var added = _cats.Add("new.png", seed: 8);
        var error = Assert.Throws<LabException>(() => TrainingSession.Train(again));
        Assert.Contains("not those it was trained on. To train on them, leave", error.Message, StringComparison.Ordinal);

        // What is gone or broken is not needed by a run that is finished.
        System.IO.File.WriteAllText(added, "no picture");
        Assert.True(TrainingSession.Train(again).WasFinished);
    }

    [Fact]
    public void Train_FinishedRunWhoseClassPicturesWereDeleted_IsFinished()
    {
        var config = TinyTraining.Run(_cats.Folder, Out("run")) with
        {
            WithPriorPreservation = true,
            ClassPrompt = "a cat",
            ClassDataDir = Out("class"),
            NumClassImages = 2,
            MaxTrainSteps = 1,
            CheckpointingSteps = 1,
            Tokenizers = TinyTokenizers.Root,
        };
        Assert.False(TrainingSession.Train(config).WasFinished);
        System.IO.File.Delete(Directory.GetFiles(Out("class"), "0-*")[0]);
        var again = config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
        Assert.True(TrainingSession.Train(again).WasFinished);

        // Photos that were added are told all the same.
        _cats.Add("new.png", seed: 8);
        Assert.Contains(
            "not those it was trained on", Assert.Throws<LabException>(() => TrainingSession.Train(again)).Message,
            StringComparison.Ordinal);
    }
}
