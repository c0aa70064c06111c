using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class TensorBoardLogTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-board-").FullName;

    public TensorBoardLogTests() => _pictures.AddMany(3);

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
    {
        LearningRate = 1e-2,
        MaxTrainSteps = 5,
        CheckpointingSteps = 2,
        TrainTextEncoder = true,
        WithPriorPreservation = false,
        ValidationPrompt = "a dög",
        ValidationResolution = 32,
        NumValidationImages = 2,
        ValidationInferenceSteps = 1,
        ValidationSteps = 2,
        ValidationLossSteps = 3,
    };

    private string Logs => Path.Combine(_folder, "run", "logs");

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void MaskedCrc_KnownData_IsTheStandards()
    {
        // RFC 3720, B.4: CRC32C of 32 bytes of zero; "123456789" of the catalogue of CRCs.
        Assert.Equal(0x8A9136AAu, EventRecord.Crc32C(new byte[32]));
        Assert.Equal(0xE3069283u, EventRecord.Crc32C("123456789"u8));
        foreach (var length in new[] { 0, 1, 7, 8, 9, 31, 1000 })
        {
            byte[] data = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 37))];
            Assert.Equal(EventRecord.Masked(data), EventFile.MaskedCrc(data));
        }
    }

    [Fact]
    public void Train_Default_WritesTheRecordsOfStepsPicturesTextsAndSettings()
    {
        using var pipeline = TinyPipeline.Load();
        TrainingSession.Train(Config, pipeline);
        var events = EventRecord.Read(Assert.Single(Directory.GetFiles(Logs)));
        Assert.Equal("brain.Event:2", events[0].FileVersion);
        var records = StepLog.Read(Config.OutputDir);
        Assert.Equal(5, records.Count);
        foreach (var record in records)
        {
            var expected = TensorBoardLog.Figures(record).Select(figure => (figure.Tag, (float?)figure.Value)).ToList();
            Assert.Equal(expected, events.Where(entry => entry.Step == record.Step && entry.Scalar is not null)
                .Select(entry => (entry.Tag!, entry.Scalar)));
            Assert.Equal(
                ["grad_norm", "grad_norm/text_encoder", "grad_norm/text_encoder_2", "grad_norm/transformer"],
                expected.Select(figure => figure.Tag).Where(tag => tag.StartsWith("grad_norm", StringComparison.Ordinal)).Order());
            Assert.True(record.MemoryGib > 0);
        }

        Assert.Equal([1, 3, 5], events.Where(entry => entry.Tag == "loss/validation").Select(entry => entry.Step));
        var pictures = events.Where(entry => entry.Image is not null).ToList();
        Assert.Equal(
            [(2, "validation/00"), (2, "validation/01"), (4, "validation/00"), (4, "validation/01"), (5, "validation/00"),
                (5, "validation/01")],
            pictures.Select(entry => ((int)entry.Step, entry.Tag!)));
        Assert.Equal((32, 32), pictures[0].Size);
        Assert.Equal(File.ReadAllBytes(ValidationPicture.List(Config.OutputDir)[1].Path), pictures[1].Image);
        Assert.Contains("validation_prompt: `a dög`", events.Single(entry => entry.Tag == "prompts").Text, StringComparison.Ordinal);
        var settings = events.Single(entry => entry.Tag == "_hparams_/session_start_info");
        Assert.Equal(("hparams", 1e-2), (settings.Plugin, settings.Settings["learning_rate"]));
        Assert.Equal((true, "AdamW"), (settings.Settings["train_text_encoder"], settings.Settings["optimizer"]));
        Assert.False(settings.Settings.ContainsKey("output_dir"));
        Assert.Single(events, entry => entry.Tag == "_hparams_/session_end_info");
    }

    [Fact]
    public void Train_GoneOnFromACheckpoint_LeavesEachStepOnceToAReader()
    {
        using var pipeline = TinyPipeline.Load();
        using var source = new CancellationTokenSource();
        var cancelling = new TrainingEvents
        {
            OnStep = record =>
            {
                if (record.Step == 3)
                    source.Cancel();
            },
        };
        Assert.True(TrainingSession.Train(Config, pipeline, cancelling, source.Token).Cancelled);
        TrainingSession.Train(Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest }, pipeline);
        var files = Directory.GetFiles(Logs).Order(StringComparer.Ordinal).Select(EventRecord.Read).ToList();
        Assert.Equal(2, files.Count);
        Assert.Equal([1, 2, 3], Steps(files[0]));
        Assert.Equal(3, Assert.Single(files[1], entry => entry.IsRestart).Step);
        Assert.Equal([3, 4, 5], Steps(files[1]));

        TrainingSession.Train(Config, pipeline);
        Assert.Equal([1, 2, 3, 4, 5], Steps(EventRecord.Read(Assert.Single(Directory.GetFiles(Logs)))));

        static IEnumerable<long> Steps(List<EventRecord> file) => file.Where(entry => entry.Tag == "loss").Select(entry => entry.Step);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Train_FolderThatCannotBeWrittenOrNone_GivesTheSameLora(bool blocked)
    {
        using var pipeline = TinyPipeline.Load();
        var config = Config with { ValidationPrompt = null, MaxTrainSteps = 2 };
        var whole = Lora(config with { OutputDir = Path.Combine(_folder, "whole") }, null);
        Directory.CreateDirectory(config.OutputDir);
        if (blocked)
            File.WriteAllText(Logs, "a file");
        var warnings = new List<string>();
        Assert.Equal(whole, Lora(config with { ReportTo = blocked ? "tensorboard" : "none" }, warnings));
        Assert.False(Directory.Exists(Logs));
        if (blocked)
            Assert.StartsWith("TensorBoard's file cannot be written", Assert.Single(warnings), StringComparison.Ordinal);
        else
            Assert.Empty(warnings);

        byte[] Lora(DreamBoothConfig run, List<string>? told)
        {
            TrainingSession.Train(run, pipeline, new TrainingEvents { OnWarning = warning => told?.Add(warning) });
            return File.ReadAllBytes(Path.Combine(run.OutputDir, "pytorch_lora_weights.safetensors"));
        }
    }

    [Fact]
    public void Add_ErrorOfAFile_WarnsOnceAndStops()
    {
        var warnings = new List<string>();
        using var log = TensorBoardLog.Open(Config, 0, 1, warnings.Add)!;
        var step = new StepRecord
        {
            Step = 1,
            Epoch = 0,
            Loss = 1,
            InstanceLoss = 1,
            LearningRate = 1,
            GradNorm = 1,
            Seconds = 1,
            ImagesPerSecond = 1,
        };
        log.Add(step);
        log.Add(1, "picture", new RgbImage(2, 2), Path.Combine(_folder, "none.png"));
        log.Add(step);
        Assert.Single(warnings);
        Assert.Equal(1, EventRecord.Read(Directory.GetFiles(Logs).Single()).Count(entry => entry.Tag == "loss"));
    }

    [Fact]
    public void AddText_AnyText_IsReadBack()
    {
        const string text = "猫 \"quoted\" `code`\n| a | b |\n\0end";
        using (var file = EventFile.Create(_folder))
            file.AddText(7, "note", text);
        var read = EventRecord.Read(Assert.Single(EventFile.List(_folder)));
        Assert.Equal((7, text), (read[^1].Step, read[^1].Text));
    }
}
