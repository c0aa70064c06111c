using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Flags of the reference script around the training.</summary>
public sealed class ReferenceFlagsTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-reference-").FullName;

    public ReferenceFlagsTests()
    {
        _pictures.AddMany(1);
    }

    private DreamBoothConfig Config =>
        TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with { MaxTrainSteps = 1, Rank = 2 };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void DatasetName_Folder_IsTrainedOnAndStaysInTheRecipe()
    {
        var train = Directory.CreateDirectory(Path.Combine(_folder, "set", "train")).FullName;
        File.Copy(_pictures.PathOf("0.png"), Path.Combine(train, "0.png"));
        File.WriteAllText(Path.Combine(train, "metadata.csv"), "file_name,prompt\n0.png,a cat asleep\n");
        var lines = new List<string>();
        var config = Config with
        {
            InstanceDataDir = string.Empty,
            DatasetName = Path.Combine(_folder, "set"),
            CaptionColumn = "prompt",
            CheckpointingSteps = 1,
            Tokenizers = TinyTokenizers.Root,
        };
        TrainingSession.Train(config, new TrainingEvents { OnSummary = lines.Add });
        Assert.Contains(lines, line => line.Contains("1 from metadata.csv", StringComparison.Ordinal));
        var recipe = DreamBoothConfig.Read(Path.Combine(config.OutputDir, "recipe.json"));
        Assert.Equal((config.DatasetName, train), (recipe.DatasetName, recipe.InstanceDataDir));
        // The run's recipe, and its first command line, go on where it is.
        foreach (var again in new[] { recipe, config })
            Assert.True(TrainingSession.Train(again with { ResumeFromCheckpoint = "latest", MaxTrainSteps = 1 }).WasFinished);
    }

    [Theory]
    [InlineData("lab/photos", "photos", null, "dataset_name and instance_data_dir are both given")]
    [InlineData("photos", "", null, "dataset_name is 'photos'; valid is owner/name")]
    [InlineData("lab/photos", "", "subjects.json", "subjects goes without dataset_name")]
    public void DatasetName_WithWhatItDoesNotGoWith_IsRefused(string name, string photos, string? subjects, string expected)
    {
        var config = Config with { DatasetName = name, InstanceDataDir = photos, Subjects = subjects };
        Assert.Contains(expected, Assert.Throws<LabException>(config.Validate).Message, StringComparison.Ordinal);
        Assert.Contains(
            "dataset_config_name has no effect without dataset_name.", (Config with { DatasetConfigName = "x" }).Notices());
    }

    [Fact]
    public void DatasetName_FolderOfItInTheCache_IsNotRefused()
    {
        var folder = Path.Combine(_folder, "datasets--lab--photos", "snapshots", new string('a', 40), "train");
        (Config with { DatasetName = "lab/photos", InstanceDataDir = folder }).Validate();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AllowTf32_InASession_IsSetAndPutBack(bool allow)
    {
        var before = backends.cuda.matmul.allow_tf32;
        using var pipeline = TinyPipeline.Load();
        using (TrainingSession.Prepare(Config with { AllowTf32 = allow }, pipeline))
            Assert.Equal(allow, backends.cuda.matmul.allow_tf32);
        Assert.Equal(before, backends.cuda.matmul.allow_tf32);
    }

    [Fact]
    public void PriorGenerationPrecision_AnotherThanTheTrainings_IsThatOfTheClassPictures()
    {
        var config = Config with
        {
            WithPriorPreservation = true,
            ClassDataDir = Path.Combine(_folder, "class"),
            ClassPrompt = "a cat",
            NumClassImages = 1,
            PriorGenerationPrecision = "bf16",
            Tokenizers = TinyTokenizers.Root,
        };
        Assert.True(PriorPictures.AreMissing(config));
        TrainingSession.Train(config);
        var picture = Assert.Single(Directory.GetFiles(config.ClassDataDir!, "*.jpg"));
        var record = PictureRecord.Read(ImageNote.Read(File.ReadAllBytes(picture)))!;
        Assert.Equal(("BFloat16", "Float32"), (record.Dtype, record.VaeDtype));
        Assert.False(PriorPictures.AreMissing(config));
    }

    [Fact]
    public void Validate_AWrongName_IsRefused()
    {
        Assert.Contains(
            "hub_model_id is 'a b'", Assert.Throws<LabException>((Config with { HubModelId = "a b" }).Validate).Message,
            StringComparison.Ordinal);
        Assert.Contains("hub_model_id has no effect without push_to_hub.", (Config with { HubModelId = "cat" }).Notices());
        Assert.Contains(
            "prior_generation_precision has no effect without class pictures.",
            (Config with { PriorGenerationPrecision = "fp16" }).Notices());
        Assert.Contains(
            "prior_generation_guidance has no effect without class pictures.",
            (Config with { PriorGenerationGuidance = 3 }).Notices());
    }
}
