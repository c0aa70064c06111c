using System.Text.Json;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using SkiaSharp;

namespace Dreambooth.Lab.Tests.Planning;

public sealed class PreflightTests : IDisposable
{
    private static readonly string _project = ProjectFolder.Find(AppContext.BaseDirectory);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Check_TheMiniaturesRecipe_FindsNoProblem()
    {
        // What is left of this machine's memory depends on the tests that ran before.
        var checks = Preflight.Check(Config(), memory: 8L << 30);
        Assert.True(Preflight.CanStart(checks), string.Join("\n", checks));
        Assert.Contains(
            "that this process may still use, on the CPU", Of(Preflight.Check(Config()), "memory").Message, StringComparison.Ordinal);
        Assert.Equal(
            [
                "settings", "photos", "resolution", "duplicates", "captions", "class pictures", "model", "identifier", "texts", "LoRA",
                "length", "time", "disk", "memory",
            ],
            checks.Select(check => check.Subject));
        Assert.Equal(
            "lora of rank 16 on 101 layers of 24 kinds, 556,032 numbers", Of(checks, "LoRA").Message);
        Assert.Contains("transformer attn.to_add_out: 5 layers, 23,040 numbers", Of(checks, "LoRA").Details);
        Assert.Equal(["CLIP-L: gmc</w>", "CLIP-G: gmc</w>", "T5: ▁gmc"], Of(checks, "identifier").Details);
        Assert.Equal(
            "520 steps, 43.3 epochs of 24 pictures; a step has 2 instance pictures and 2 class pictures.", Of(checks, "length").Message);
        Assert.StartsWith("unknown", Of(checks, "time").Message, StringComparison.Ordinal);
        Assert.Contains("in a step, optimizer state: 4.2 MiB", Of(checks, "memory").Details);
    }

    [Fact]
    public void Check_AnEarlierRunOfTheseSettingsBeside_TellsItsTime()
    {
        var earlier = Config() with { OutputDir = Path.Combine(_folder.Path, "earlier"), LearningRate = 1 };
        Directory.CreateDirectory(earlier.OutputDir);
        File.WriteAllText(Path.Combine(earlier.OutputDir, "recipe.json"), earlier.ToJson());
        using (var log = StepLog.Open(earlier.OutputDir))
        {
            foreach (var (step, seconds) in new[] { (1, 100.0), (2, 0.5), (3, 0.25), (4, 0.5) })
                log.Append(Record(step, seconds));
        }

        Assert.StartsWith("about 4 min for 520 steps of 0.5 s", Of(Preflight.Check(Config()), "time").Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "unknown", Of(Preflight.Check(Config() with { TrainBatchSize = 1 }), "time").Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "unknown", Of(Preflight.Check(Config() with { MoreResolutions = "64" }), "time").Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "unknown", Of(Preflight.Check(Config() with { AspectBuckets = true, BucketStep = 16 }), "time").Message,
            StringComparison.Ordinal);

        // Steps of two sizes take two times, of which neither is that of the run.
        File.WriteAllText(Path.Combine(earlier.OutputDir, "recipe.json"), (earlier with { MoreResolutions = "64" }).ToJson());
        Assert.Contains(
            "steps of 0.417 s", Of(Preflight.Check(Config() with { MoreResolutions = "64" }), "time").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ResolutionBeyondTheModels_IsAProblem()
    {
        var model = Of(Preflight.Check(Config() with { Resolution = 272 }), "model");
        Assert.Equal(PreflightStatus.Problem, model.Status);
        Assert.Contains("ends at 256 pixels", model.Message, StringComparison.Ordinal);
        Assert.Equal(PreflightStatus.Ok, Of(Preflight.Check(Config() with { Resolution = 256 }), "model").Status);
    }

    [Fact]
    public void Check_LayersAndBlocksThatTheModelLacks_AreProblems()
    {
        var layers = Of(Preflight.Check(Config() with { LoraLayers = "attn.to_q,attn.to_x" }), "LoRA");
        Assert.Equal(PreflightStatus.Problem, layers.Status);
        Assert.StartsWith(
            "No layer of transformer ends in attn.to_x; layers end in attn.add_k_proj, ", layers.Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "Block 77 of transformer has none of the layers", Of(Preflight.Check(Config() with { LoraBlocks = "0,77" }), "LoRA").Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Check_LongCaptionsAndPicturesThatAreThereTwice_AreNamed()
    {
        var photos = Directory.CreateDirectory(Path.Combine(_folder.Path, "photos")).FullName;
        foreach (var name in new[] { "gmc_000.png", "gmc_001.png", "gmc_002.png", "gmc_003.png" })
            File.Copy(Path.Combine(_project, "data", "cat_gmc", name), Path.Combine(photos, name));
        File.Copy(Path.Combine(photos, "gmc_000.png"), Path.Combine(photos, "again.png"));
        File.WriteAllText(Path.Combine(photos, "gmc_001.txt"), string.Join(' ', Enumerable.Repeat("cat", 40)));
        var checks = Preflight.Check(Config() with { InstanceDataDir = photos });
        Assert.Equal(["again.png = gmc_000.png: the same file"], Of(checks, "duplicates").Details);
        Assert.StartsWith("1 of 3 texts cut, and what stands behind is not learned", Of(checks, "texts").Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "gmc_001.png: CLIP-L reads 32 of 42 tokens, CLIP-G reads 32 of 42 tokens, T5 reads 32 of 41 tokens of “cat cat",
            Assert.Single(Of(checks, "texts").Details), StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ClassPicturesOfAnotherPromptOrGuidance_AreAProblemOrAWarning()
    {
        var config = Config() with { ClassDataDir = Path.Combine(_folder.Path, "class"), NumClassImages = 2 };
        Directory.CreateDirectory(config.ClassDataDir!);
        ImageEncoder.Save(Path.Combine(config.ClassDataDir!, "mine.png"), new RgbImage(64, 64));
        Assert.Contains("1 of 2 in ", Of(Preflight.Check(config), "class pictures").Message, StringComparison.Ordinal);
        PictureNotes.Save(
            Path.Combine(config.ClassDataDir!, "other.png"), new RgbImage(64, 64),
            """{"prompt":"a photo of a cat","model":"sd3-mini","seed":0,"index":0,"steps":14,"guidance":3}""", null, true);
        var check = Of(Preflight.Check(config), "class pictures");
        Assert.Equal(PreflightStatus.Warning, check.Status);
        Assert.Contains("2 of 2 in ", check.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "were made with prior_generation_guidance 3 and are taken as they are; this run has 7.", check.Message,
            StringComparison.Ordinal);
        PictureNotes.Save(
            Path.Combine(config.ClassDataDir!, "other.png"), new RgbImage(64, 64),
            """{"prompt":"a photo of a dog","model":"sd3-mini","seed":0,"index":0}""", null, true);
        check = Of(Preflight.Check(config), "class pictures");
        Assert.Equal(PreflightStatus.Problem, check.Status);
        Assert.Contains("a photo of a dog", check.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_ConfigWithoutWhatIsRequired_TellsThatAlone()
    {
        var check = Assert.Single(Preflight.Check(DreamBoothConfig.FromJson("""{"rank": 4}""")));
        Assert.Equal(("settings", PreflightStatus.Problem), (check.Subject, check.Status));
        Assert.Contains("instance_data_dir is missing.", check.Message, StringComparison.Ordinal);
    }

    private static StepRecord Record(int step, double seconds) => new()
    {
        Step = step,
        Epoch = 0,
        Loss = 1,
        InstanceLoss = 1,
        LearningRate = 1,
        GradNorm = 1,
        Seconds = seconds,
        ImagesPerSecond = 1,
    };

    [Fact]
    public void Check_LittleMemory_SaysWhatWouldFit()
    {
        PreflightCheck Memory(MemoryMode mode) => Of(Preflight.Check(Config() with { Memory = mode }, memory: 100L << 20), "memory");
        Assert.Equal(PreflightStatus.Problem, Memory(MemoryMode.Fast).Status);
        Assert.Contains("It would fit with", Memory(MemoryMode.Fast).Message, StringComparison.Ordinal);
        Assert.Equal(PreflightStatus.Ok, Memory(MemoryMode.Auto).Status);
        Assert.Contains("in memory mode low", Memory(MemoryMode.Auto).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_FewSmallAndBrokenPhotos_NamesThem()
    {
        ImageEncoder.Save(Path.Combine(_folder.Path, "tiny.png"), new RgbImage(64, 64));
        File.WriteAllText(Path.Combine(_folder.Path, "broken.png"), "no picture");
        var checks = Preflight.Check(Config() with { InstanceDataDir = _folder.Path, PretrainedModelNameOrPath = _folder.Path });
        Assert.False(Preflight.CanStart(checks));
        Assert.Contains("broken.png", Of(checks, "photos").Message, StringComparison.Ordinal);
        Assert.Equal(PreflightStatus.Warning, Of(checks, "resolution").Status);
        Assert.Contains("tiny.png", Of(checks, "resolution").Message, StringComparison.Ordinal);
        Assert.Equal(PreflightStatus.Problem, Of(checks, "model").Status);
    }

    [Fact]
    public void Check_CaptionsOfSomePhotosAndFoldersInside_WarnsOfTheRest()
    {
        foreach (var name in new[] { "a.png", "b.png", "more/c.png" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder.Path, name))!);
            ImageEncoder.Save(Path.Combine(_folder.Path, name), new RgbImage(64, 64));
        }

        File.WriteAllText(Path.Combine(_folder.Path, "a.TXT"), "gmc cat asleep");
        var checks = Preflight.Check(Config() with { InstanceDataDir = _folder.Path });
        var captions = Of(checks, "captions");
        Assert.Equal(PreflightStatus.Warning, captions.Status);
        Assert.Contains(
            "1 of 2 pictures have no caption of their own and are trained on the instance prompt: b.png.", captions.Message,
            StringComparison.Ordinal);
        Assert.Contains(" 1 in subfolders are not read: more/c.png.", Of(checks, "photos").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_AlphaMasksOfOneSubjectOfSeveral_IsNoProblem()
    {
        string Subject(string name, byte alpha)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, name)).FullName;
            using var picture = new SKBitmap(128, 128);
            picture.Erase(new SKColor(200, 100, 50));
            picture.Erase(new SKColor(1, 2, 3, alpha), new SKRectI(0, 0, 20, 20));
            using var file = File.Create(Path.Combine(folder, "a.png"));
            picture.Encode(file, SKEncodedImageFormat.Png, 100);
            return folder;
        }

        var list = Path.Combine(_folder.Path, "subjects.json");
        string[] subjects = [Subject("cut", 0), Subject("whole", 255)];
        File.WriteAllText(list, JsonSerializer.Serialize(
            subjects.Select(folder => new { instance_data_dir = folder, instance_prompt = "a photo of gmc cat" })));
        var config = Config() with
        {
            InstanceDataDir = string.Empty,
            InstancePrompt = string.Empty,
            Subjects = list,
            WithPriorPreservation = false,
            ClassDataDir = null,
            ClassPrompt = null,
            Mask = MaskSource.Alpha,
        };
        var masks = Of(Preflight.Check(config), "masks");
        Assert.Equal(
            (PreflightStatus.Warning, "The masks of 1 of 2 pictures leave nothing out: a.png."), (masks.Status, masks.Message));
        File.WriteAllText(list, JsonSerializer.Serialize(
            subjects.Skip(1).Select(folder => new { instance_data_dir = folder, instance_prompt = "a photo of gmc cat" })));
        Assert.Equal(PreflightStatus.Problem, Of(Preflight.Check(config), "masks").Status);
    }

    [Fact]
    public void Check_DatasetThatIsNotHere_IsTold()
    {
        var checks = Preflight.Check(Config() with
        {
            InstanceDataDir = string.Empty,
            DatasetName = "lab/photos",
            CacheDir = Path.Combine(_folder.Path, "cache"),
        });
        var photos = Of(checks, "photos");
        Assert.Equal(PreflightStatus.Warning, photos.Status);
        Assert.EndsWith("Now: dotnet run -- hub download datasets/lab/photos", photos.Message, StringComparison.Ordinal);
    }

    private static PreflightCheck Of(IReadOnlyList<PreflightCheck> checks, string subject) =>
        checks.Single(check => check.Subject == subject);

    private DreamBoothConfig Config()
    {
        var path = Path.Combine(_project, "data", "recipes", "gmc-cat.json");
        return DreamBoothConfig.FromJson(File.ReadAllText(path), path) with
        {
            PretrainedModelNameOrPath = Path.Combine(_project, "data", "sd3-mini"),
            InstanceDataDir = Path.Combine(_project, "data", "cat_gmc"),
            OutputDir = Path.Combine(_folder.Path, "out"),
        };
    }
}
