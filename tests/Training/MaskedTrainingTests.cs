using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class MaskedTrainingTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly PictureSamples _masks = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-masked-").FullName;

    public MaskedTrainingTests()
    {
        _pictures.AddMany(3);
        MarkTo(30);
    }

    public void Dispose()
    {
        _pictures.Dispose();
        _masks.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void MarkTo(int column)
    {
        for (var i = 0; i < 3; i++)
        {
            var mask = new RgbImage(60, 48);
            for (var y = 0; y < 48; y++)
            {
                for (var x = 0; x < column; x++)
                    mask[x, y] = (255, 255, 255);
            }

            ImageEncoder.Save(_masks.PathOf($"{i}.png"), mask);
        }
    }

    private DreamBoothConfig Config(string output) => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, output)) with
    {
        MaxTrainSteps = 4,
        CheckpointingSteps = 2,
        TrainBatchSize = 2,
        Mask = MaskSource.Folder,
        MaskDataDir = _masks.Folder,
        Tokenizers = TinyTokenizers.Root,
        NoMetadata = true,
        WithPriorPreservation = true,
        ClassDataDir = _pictures.Folder + "-class",
        ClassPrompt = "a picture",
        NumClassImages = 2,
    };

    [Fact]
    public void Train_Masks_ActAndAWholeBackgroundIsNoMask()
    {
        Directory.CreateDirectory(_pictures.Folder + "-class");
        try
        {
            foreach (var i in new[] { 0, 1 })
                File.Copy(_pictures.PathOf($"{i}.png"), Path.Combine(_pictures.Folder + "-class", $"{i}.png"));
            TrainingSession.Train(Config("plain") with { Mask = MaskSource.None, MaskDataDir = null });
            TrainingSession.Train(Config("background") with { MaskBackground = 1 });
            Assert.Equal(Lora("plain"), Lora("background"));

            TrainingSession.Train(Config("masked"));
            Assert.NotEqual(Lora("plain"), Lora("masked"));
            var first = (Plain: Step("plain"), Masked: Step("masked"));
            Assert.Equal(first.Plain.PriorLoss, first.Masked.PriorLoss);
            Assert.NotEqual(first.Plain.InstanceLoss, first.Masked.InstanceLoss);
            Assert.InRange(first.Masked.InstanceLoss / first.Plain.InstanceLoss, 0.5, 2);

            var resumed = Config("resumed") with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
            TrainingSession.Train(resumed with { MaxTrainSteps = 2 });
            TrainingSession.Train(resumed);
            Assert.Equal(Lora("masked"), Lora("resumed"));
            MarkTo(31);
            var error = Assert.Throws<LabException>(() => TrainingSession.Train(resumed with { MaxTrainSteps = 6 }));
            Assert.Contains("are not those it was trained on", error.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(_pictures.Folder + "-class", recursive: true);
        }
    }

    [Fact]
    public void Prepare_CropWithoutTheSubject_IsWarnedOf()
    {
        MarkTo(1);
        var warnings = new List<string>();
        var config = Config("warned") with { WithPriorPreservation = false, ClassDataDir = null, ClassPrompt = null, CenterCrop = true };
        TrainingSession.Train(config with { MaxTrainSteps = 1 }, new TrainingEvents { OnWarning = warnings.Add });
        Assert.Contains(warnings, text => text.StartsWith("Crops of 0.png, 1.png, 2.png show less than 1 %", StringComparison.Ordinal));
        Assert.True(float.IsFinite((float)Step("warned").Loss));
    }

    [Fact]
    public void Validate_FolderWithoutMasks_IsNamed()
    {
        var error = Assert.Throws<LabException>(() => (Config("a") with { MaskDataDir = null }).Validate());
        Assert.Contains("mask is folder and needs mask_data_dir", error.Message, StringComparison.Ordinal);
        Assert.Contains("mask_background has no effect without mask.", (Config("a") with { Mask = MaskSource.None, MaskBackground = 1 })
            .Notices());
    }

    private StepRecord Step(string run) => StepLog.Read(Path.Combine(_folder, run))[0];

    private byte[] Lora(string run) => File.ReadAllBytes(Path.Combine(_folder, run, LoraFile.DefaultName));
}
