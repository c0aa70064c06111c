using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

public sealed class PriorPicturesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-class-").FullName;
    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load();

    private DreamBoothConfig Config => new()
    {
        PretrainedModelNameOrPath = TinyPipeline.Folder,
        InstanceDataDir = Out("photos"),
        InstancePrompt = "a photo of gmc cat",
        WithPriorPreservation = true,
        ClassDataDir = Out("class"),
        ClassPrompt = "a photo of a cat",
        NumClassImages = 4,
        SampleBatchSize = 4,
        OutputDir = Out("run"),
        Seed = 1,
        Device = "cpu",
    };

    public void Dispose()
    {
        _pipeline.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Noise_AnyBatch_IsTheSameBitForBit()
    {
        using var scope = NewDisposeScope();
        var whole = PriorPictures.Noise(_pipeline, 1, 0, 8);
        foreach (var (first, count) in new[] { (0, 1), (1, 7), (3, 2), (7, 1) })
            Assert.True(whole.slice(0, first, first + count, 1).equal(PriorPictures.Noise(_pipeline, 1, first, count)).all().item<bool>());
        Assert.False(whole[0].equal(whole[1]).any().item<bool>());
        Assert.Equal([8L, 16, _pipeline.DefaultSize / 8, _pipeline.DefaultSize / 8], whole.shape);
    }

    [Fact]
    public void Generate_OneThenSevenOrEightAtOnce_IsWithinOneStepAndEqualAtTheSameSize()
    {
        var whole = Pixels(0, 8, batch: 8);
        Assert.Equal(8, whole.Select(Convert.ToHexString).Distinct().Count());
        byte[][] stepwise = [.. Pixels(0, 1, batch: 8), .. Pixels(1, 7, batch: 8)];
        Assert.All(whole.Zip(stepwise), pair => Assert.True(pair.First.Zip(pair.Second, (a, b) => Math.Abs(a - b)).Max() <= 1));
        var pairs = Pixels(0, 8, batch: 2);
        Assert.Equal(pairs[1..5], Pixels(1, 4, batch: 2));

        byte[][] Pixels(int first, int count, int batch) =>
        [
            .. PriorPictures.Generate(Config with { SampleBatchSize = batch }, _pipeline, count, first, default)
                .Select(image => image.Pixels),
        ];
    }

    [Fact]
    public void Make_CutShortAndTakenUp_WritesTheSameFiles()
    {
        var config = Config with { SampleBatchSize = 2 };
        var files = PriorPictures.Make(config, _pipeline);
        var whole = files.Select(File.ReadAllBytes).ToArray();
        foreach (var file in files.Skip(2))
            File.Delete(file);
        File.WriteAllText(Out("class", $".2-x.jpg.{Guid.NewGuid():N}.tmp"), "half a picture");
        Assert.Equal(files, PriorPictures.Make(config, _pipeline));
        Assert.Equal(whole, files.Select(File.ReadAllBytes));
        Assert.Equal(4, Directory.GetFileSystemEntries(Out("class"), "*", new EnumerationOptions { AttributesToSkip = 0 }).Length);
    }

    [Fact]
    public void Make_OtherStepsOrGuidance_GivesOtherPicturesAndNotesThem()
    {
        var one = Config with { NumClassImages = 1 };
        var made = new[]
        {
            one with { PriorGenerationSteps = 2, PriorGenerationGuidance = 3.5 },
            one with { PriorGenerationSteps = 5, PriorGenerationGuidance = 3.5 },
            one with { PriorGenerationSteps = 2 },
        }.Select(Made).ToList();
        Assert.Equal([(2, 3.5), (5, 3.5), (2, 7.0)], made.Select(picture => (picture.Record.Steps, picture.Record.Guidance)));
        Assert.Equal(3, made.Select(picture => picture.Pixels).Distinct().Count());

        (PictureRecord Record, string Pixels) Made(DreamBoothConfig config)
        {
            var file = PriorPictures.Make(config, _pipeline)[0];
            var record = PictureRecord.Read(PictureNotes.Read(file, File.ReadAllBytes(file)))!;
            var pixels = Convert.ToHexString(ImageDecoder.Load(file).Pixels);
            File.Delete(file);
            return (record, pixels);
        }
    }

    [Fact]
    public void Make_Pictures_KeepWhatTheyWereMadeWith()
    {
        var files = PriorPictures.Make(Config with { NumClassImages = 2 }, _pipeline);
        Assert.Equal(
            [new ClassPictureOrigin("a photo of a cat", "tiny-sd35m", 1, 0, 28, 7),
                new ClassPictureOrigin("a photo of a cat", "tiny-sd35m", 1, 1, 28, 7)],
            files.Select(ClassPictureOrigin.Read));
        Assert.All(files, file => Assert.Equal(_pipeline.DefaultSize, ImageDecoder.Load(file).Width));
    }

    [Fact]
    public void Make_PicturesMadeOtherwise_AreTakenAndSaid()
    {
        PriorPictures.Make(Config with { NumClassImages = 2, PriorGenerationSteps = 2 }, _pipeline);
        List<string> said = [];
        var other = Config with { NumClassImages = 2, Seed = 7, PriorGenerationSteps = 3, PriorGenerationGuidance = 3.5 };
        PriorPictures.Make(other, _pipeline, new TrainingEvents { OnWarning = said.Add });
        var folder = ProjectFolder.Near(Out("class"));
        Assert.Equal(
            [$"Class pictures in {folder} were made with seed 1 and are taken as they are; this run has 7.",
                $"Class pictures in {folder} were made with prior_generation_steps 2 and are taken as they are; this run has 3.",
                $"Class pictures in {folder} were made with prior_generation_guidance 7 and are taken as they are; this run has 3.5."],
            said);
        var (count, remarks) = PriorPictures.There(other);
        Assert.Equal(2, count);
        Assert.Equal(said, remarks);
        Assert.Empty(PriorPictures.There(other with { Seed = null, PriorGenerationSteps = 2, PriorGenerationGuidance = 7 }).Remarks);
    }

    [Fact]
    public void Make_PicturesMadeAlikeOrOfUnknownSettings_AreTakenWithoutAWord()
    {
        var none = Config with { NumClassImages = 3, PriorGenerationGuidance = 0 };
        var pictures = PriorPictures.Make(none, _pipeline);
        Note(pictures[1], string.Empty);
        Note(pictures[2], """, "steps": "two", "guidance": [7]""");
        Assert.Equal([28, null, null], pictures.Select(picture => ClassPictureOrigin.Read(picture)!.Steps));
        Assert.Equal([0, null, null], pictures.Select(picture => ClassPictureOrigin.Read(picture)!.Guidance));
        List<string> said = [];
        PriorPictures.Make(none with { PriorGenerationGuidance = 1 }, _pipeline, new TrainingEvents { OnWarning = said.Add });
        Assert.Empty(said);

        void Note(string path, string more) => ImageNote.Save(
            path, ImageDecoder.Load(path), $$"""{"prompt": "a photo of a cat", "model": "tiny-sd35m", "seed": 1, "index": 1{{more}}}""");
    }

    [Fact]
    public void Make_KilledBetweenTwoOfABatch_KeepsTheFirst()
    {
        var events = new TrainingEvents { OnClassPicture = (_, _) => throw new OperationCanceledException() };
        Assert.Throws<OperationCanceledException>(() => PriorPictures.Make(Config, _pipeline, events));
        Assert.Single(Directory.GetFiles(Out("class"), "*.jpg"));
    }

    [Fact]
    public void Generate_MoreAtATimeThanFit_AreSplit()
    {
        _pipeline.MostAtATime = 2;
        var split = PriorPictures.Generate(Config with { SampleBatchSize = 60_000 }, _pipeline, 3, 0, default)
            .Select(image => image.Pixels);
        var pairs = PriorPictures.Generate(Config with { SampleBatchSize = 2 }, _pipeline, 3, 0, default).Select(image => image.Pixels);
        Assert.Equal(pairs, split);
    }

    [Theory]
    [InlineData("num_train_epochs is 2147483647", int.MaxValue, null)]
    [InlineData("No layer of transformer matches the LoRA target", 1, "no_such_layer")]
    public void Prepare_WrongOption_IsRefusedBeforeClassPictures(string message, int epochs, string? layers)
    {
        Directory.CreateDirectory(Out("photos"));
        ImageEncoder.Save(Out("photos", "a.png"), new RgbImage(64, 64));
        var config = Config with { NumTrainEpochs = epochs, LoraLayers = layers, Resolution = 32, TrainBatchSize = 1 };
        Assert.Contains(
            message, Assert.ThrowsAny<LabException>(() => TrainingSession.Prepare(config, _pipeline)).Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out("class")));
    }

    [Fact]
    public void Make_PicturesOfAnotherPromptOrModel_AreRefused()
    {
        PriorPictures.Make(Config with { NumClassImages = 2 }, _pipeline);
        Refused("2 of the 2 class pictures in " + Out("class")
            + " were generated for the class_prompt 'a photo of a cat', and this run's is 'a photo of a dog'",
            Config with { ClassPrompt = "a photo of a dog" });
        Refused("were generated by the model tiny-sd35m, and this run's is other-model",
            Config with { PretrainedModelNameOrPath = "x/other-model/" });
        Assert.Equal(2, Directory.GetFiles(Out("class")).Length);
    }

    [Fact]
    public void Make_InstanceFolder_IsRefusedAndGetsNoPicture()
    {
        Directory.CreateDirectory(Out("photos"));
        Directory.CreateSymbolicLink(Out("class"), Out("photos"));
        Refused("is the same folder as instance_data_dir", Config);
        Assert.Empty(Directory.GetFileSystemEntries(Out("photos")));
    }

    [Fact]
    public void Prepare_OutputFolderInUse_IsRefusedBeforeClassPictures()
    {
        using var held = RunFolder.Open(Out("run"), "training", "output_dir");
        Assert.Contains("is in use by training", Assert.Throws<LabException>(() => TrainingSession.Prepare(Config, _pipeline)).Message,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out("class")));
    }

    private void Refused(string message, DreamBoothConfig config) =>
        Assert.Contains(message, Assert.ThrowsAny<LabException>(() => PriorPictures.Make(config, _pipeline)).Message,
            StringComparison.Ordinal);

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
