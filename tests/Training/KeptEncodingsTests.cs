using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class KeptEncodingsTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-kept-").FullName;

    public KeptEncodingsTests() => _pictures.AddMany(3);

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private string Cache => Path.Combine(_folder, "cache");

    private DreamBoothConfig Config(string output) => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, output)) with
    {
        MaxTrainSteps = 2,
        Tokenizers = TinyTokenizers.Root,
        CacheLatents = true,
        LatentsCache = Cache,
    };

    private static (string Read, List<string> Warnings) Train(DreamBoothConfig config, Rendezvous? ranks = null)
    {
        var (read, warnings) = (string.Empty, new List<string>());
        TrainingSession.Train(
            config, ranks,
            new TrainingEvents
            {
                OnSummary = line => read = line.StartsWith("Read from ", StringComparison.Ordinal) ? line : read,
                OnWarning = warnings.Add,
            },
            CancellationToken.None);
        return (read, warnings);
    }

    private byte[] Lora(string run) => File.ReadAllBytes(Path.Combine(_folder, run, LoraFile.DefaultName));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Train_KeptEncodings_GiveTheSameBits(bool trainText)
    {
        var config = Config("plain") with { RandomFlip = true, TrainTextEncoder = trainText, NoMetadata = true };
        Train(config with { CacheLatents = false, LatentsCache = null });
        Assert.False(Directory.Exists(Cache));
        Assert.Contains(": 0 of 6 latents and 0 of 1 prompts (7 encodings, ", Train(config with { OutputDir = Out("first") }).Read,
            StringComparison.Ordinal);
        Assert.Contains(": 6 of 6 latents and 1 of 1 prompts (", Train(config with { OutputDir = Out("second") }).Read,
            StringComparison.Ordinal);
        Assert.Equal(Lora("plain"), Lora("first"));
        Assert.Equal(Lora("plain"), Lora("second"));
    }

    [Fact]
    public void Train_AnythingThatActsIsOther_EncodesAnew()
    {
        Train(Config("first"));
        AssertRead("3 of 3 latents and 1 of 1", Config("again") with { TrainBatchSize = 2, GradientAccumulationSteps = 2 });
        // One random crop is the centre.
        AssertRead("1 of 3 latents and 1 of 1", Config("crop") with { CenterCrop = true });
        AssertRead("3 of 6 latents and 1 of 1", Config("flip") with { RandomFlip = true });
        AssertRead("0 of 3 latents and 1 of 1", Config("size") with { Resolution = 48 });
        AssertRead("3 of 3 latents and 0 of 1", Config("text") with { InstancePrompt = "a dog" });
        AssertRead("3 of 3 latents and 0 of 1", Config("length") with { MaxSequenceLength = 9 });
        _pictures.Add("1.png", seed: 99);
        AssertRead("2 of 3 latents and 1 of 1", Config("picture"));
    }

    [Fact]
    public void Train_AnotherModel_EncodesAnew()
    {
        Train(Config("first"));
        var model = Path.Combine(_folder, "model");
        foreach (var file in Directory.GetFiles(TinyPipeline.Folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(model, Path.GetRelativePath(TinyPipeline.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        // The last number of the autoencoder; encoders of texts are known by their files.
        var vae = Directory.GetFiles(Path.Combine(model, "vae"), "*.safetensors")[0];
        var bytes = File.ReadAllBytes(vae);
        bytes[^2] ^= 1;
        File.WriteAllBytes(vae, bytes);
        AssertRead("0 of 3 latents and 0 of 1", Config("other") with { PretrainedModelNameOrPath = model });
    }

    [Fact]
    public void Train_DamagedFile_IsEncodedAgainWithAWarning()
    {
        Train(Config("first") with { NoMetadata = true });
        foreach (var file in Directory.GetFiles(Cache))
        {
            var bytes = File.ReadAllBytes(file);
            bytes[^1] ^= 1;
            File.WriteAllBytes(file, bytes);
        }

        var (read, warnings) = Train(Config("second") with { NoMetadata = true });
        Assert.Contains(": 0 of 3 latents and 0 of 1 prompts", read, StringComparison.Ordinal);
        Assert.Equal(4, warnings.Count(text => text.Contains("is damaged", StringComparison.Ordinal)));
        Assert.Equal(Lora("first"), Lora("second"));
        AssertRead("3 of 3 latents and 1 of 1", Config("third"));
    }

    [Fact]
    public void Train_SeveralRanks_RankZeroEncodesAndTheOthersRead()
    {
        var read = RankThreads.Run(2, ranks => Train(Config("ranked"), ranks).Read);
        Assert.Contains(": 0 of 3 latents and 0 of 1 prompts", read[0], StringComparison.Ordinal);
        Assert.Contains(": 3 of 3 latents and 1 of 1 prompts", read[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Notices_FolderWithoutTheSwitch_TellsIt()
    {
        var config = Config("a") with { CacheLatents = false };
        Assert.Contains("latents_cache has no effect without cache_latents.", config.Notices());
        Assert.DoesNotContain(Config("a").Notices(), text => text.Contains("latents_cache", StringComparison.Ordinal));
    }

    private string Out(string name) => Path.Combine(_folder, name);

    private static void AssertRead(string expected, DreamBoothConfig config) =>
        Assert.Contains($": {expected} prompts", Train(config).Read, StringComparison.Ordinal);
}
