using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Tests.Training;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Cli;

/// <summary>Pictures of every origin, again by what their files say.</summary>
public sealed class GenerateFromTests : IDisposable
{
    private readonly PictureSamples _pictures = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-from-").FullName;

    public GenerateFromTests() => _pictures.Add("0.png", seed: 0);

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void From_PictureOfAGenerate_IsTheSameBitForBit()
    {
        Generate("--prompt=a cat, \"größer\" 猫", "--num_images=3", "--seed=9", "--negative_prompt=blurred");
        var source = Assert.Single(Directory.GetFiles(Out("pictures"), "img_02.png", SearchOption.AllDirectories));
        AssertSame(source, From(source, "--model", TinyPipeline.Folder));

        // The picture that came tells the same.
        var again = Out("again", "img_02.png");
        Assert.Equal(Record(source).ToNote(), Record(again).ToNote());
        Assert.Equal((3, 2), (Record(again).BatchSize, Record(again).BatchRow));
    }

    [Fact]
    public void From_PictureOfASweep_IsTheSameBitForBit()
    {
        var lora = TrainedLora();
        using (var pipeline = TinyPipeline.Load())
        {
            new SweepRunner(pipeline, new SweepRunnerOptions { BatchSize = 4 }).Run(
                Sweep.Cross("s", new SweepAxes
                {
                    Prompts = ["a cat", "a dog on a beach"],
                    Seeds = [3, 4],
                    Loras = [new WeightedLora(lora, 0.7)],
                    Guidances = [4],
                    Steps = 2,
                    Width = 32,
                    Height = 32,
                }), Out("sweep"));
        }

        var source = Directory.GetFiles(Out("sweep"), "img_01.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last();
        Assert.Equal((4, 4), (Record(source).BatchSize, Record(source).BatchPrompts));
        Assert.Contains("<lora:", PngTexts.Read(File.ReadAllBytes(source))["parameters"], StringComparison.Ordinal);
        AssertSame(source, From(source, "--model", TinyPipeline.Folder, "--lora", Out("run")));
    }

    [Fact]
    public void From_ValidationPicture_IsTheSameBitForBit()
    {
        TrainedLora();
        var source = ValidationPicture.List(Out("run"))[^1].Path;
        AssertSame(source, From(source, "--model", TinyPipeline.Folder, "--lora", _folder));

        // Another LoRA is said to be another, and one that is nowhere is named by its hash.
        var hash = Record(source).LoraSha256[0];
        File.Move(Out("run", LoraFile.DefaultName), Out("kept.bin"));
        var (code, _, error) = From(source, "--model", TinyPipeline.Folder, "--lora", _folder, "--overwrite");
        Assert.Equal(1, code);
        Assert.Contains($"SHA-256 {hash} (AutoV2 {hash[..10]}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void From_ClassPicture_IsTheSameAfterItsOwnLoss()
    {
        TrainedLora();
        var source = Directory.GetFiles(Out("class"), "1-*.jpg").Single();
        AssertSame(source, From(source, "--model", Path.GetDirectoryName(TinyPipeline.Folder)!));
    }

    [Fact]
    public void From_OtherFlags_AreToldAndActed()
    {
        Generate("--prompt=a cat", "--seed=9");
        var source = Directory.GetFiles(Out("pictures"), "*.png", SearchOption.AllDirectories).Single();
        var (code, output, _) = From(source, "--model", TinyPipeline.Folder, "--guidance=1", "--prompt=a dog");
        Assert.Equal(0, code);
        Assert.Contains("guidance is 1; the picture's was 7.5.", output, StringComparison.Ordinal);
        Assert.Contains("prompt is a dog; the picture's was a cat.", output, StringComparison.Ordinal);
        Assert.Contains("differs from ", output, StringComparison.Ordinal);
        Assert.Equal((1.0, "a dog", 9UL), (Record(Out("again", "img_00.png")).Guidance, Record(Out("again", "img_00.png")).Prompt, 9UL));
    }

    [Fact]
    public void From_ModelThatIsNowhere_SaysWhichFingerprintItNeeds()
    {
        Generate("--prompt=a cat");
        var source = Directory.GetFiles(Out("pictures"), "*.png", SearchOption.AllDirectories).Single();
        var (code, _, error) = From(source, "--model", Out("pictures"));
        Assert.Equal(1, code);
        Assert.Contains($"the model tiny-sd35m, fingerprint {Record(source).ModelFingerprint}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void From_PictureOfAnotherProgram_SaysWhatCanBeReadAndWhatCannot()
    {
        var path = Out("a1111.png");
        const string Text = "a cat <lora:x:0.5>\nNegative prompt: blurred\nSteps: 20, Sampler: Euler a, CFG scale: 6.5, Seed: 5, "
            + "Size: 512x768, Model hash: abc";
        File.WriteAllBytes(path, ImageNote.Rewritten(ImageEncoder.EncodePng(new RgbImage(8, 8)), "of another", Text)!);
        var (code, _, error) = From(path);
        Assert.Equal(2, code);
        Assert.Contains(
            "generate --model MODEL --prompt \"a cat\" --negative_prompt \"blurred\" --num_steps 20 --guidance 6.5 --seed 5 --width 512 "
            + "--height 768", error, StringComparison.Ordinal);
        Assert.Contains("Not among them: how the noise is drawn", error, StringComparison.Ordinal);
        var hostile = Text.Replace("a cat", "$(id) `id`", StringComparison.Ordinal);
        File.WriteAllBytes(path, ImageNote.Rewritten(ImageEncoder.EncodePng(new RgbImage(8, 8)), "of another", hostile)!);
        Assert.Contains("--prompt '$(id) `id`'", From(path).Error, StringComparison.Ordinal);
        ImageEncoder.Save(path, new RgbImage(8, 8));
        Assert.Contains("It tells nothing of how it was made", From(path).Error, StringComparison.Ordinal);
        Assert.Contains("There is no picture", From(Out("none.png")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void NoMetadata_Generate_LeavesAllOutAndKnowsItsOwnPictures()
    {
        string[] arguments = ["--prompt=a cat", "--num_images=2"];
        Generate([.. arguments, "--no_metadata"]);
        string[] files = [.. Directory.GetFiles(Out("pictures"), "*.png", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        Assert.All(files, file => Assert.Empty(PngTexts.Read(File.ReadAllBytes(file))));
        var pixels = ImageDecoder.Load(files[1]).Pixels;
        Assert.Contains("2 of them there from an earlier run", Generate([.. arguments, "--no_metadata"]), StringComparison.Ordinal);

        // With metadata the same pictures get theirs, and lose them again.
        Assert.Contains("2 of them there from an earlier run", Generate(arguments), StringComparison.Ordinal);
        Assert.All(files, file => Assert.Equal(2, PngTexts.Read(File.ReadAllBytes(file)).Count));
        AssertSame(files[1], From(files[1], "--model", TinyPipeline.Folder));
        Assert.Contains("2 of them there from an earlier run", Generate([.. arguments, "--no_metadata"]), StringComparison.Ordinal);
        Assert.All(files, file => Assert.Empty(PngTexts.Read(File.ReadAllBytes(file))));
        Assert.Equal(pixels, ImageDecoder.Load(files[1]).Pixels);
        File.Delete(files[0]);
        Assert.Contains("1 of them there from an earlier run", Generate([.. arguments, "--no_metadata"]), StringComparison.Ordinal);
    }

    [Fact]
    public void NoMetadata_Train_LeavesAllOutAndKnowsItsClassPictures()
    {
        TrainedLora(config => config with { NoMetadata = true });
        foreach (var picture in ValidationPicture.List(Out("run")))
            Assert.Empty(PngTexts.Read(File.ReadAllBytes(picture.Path)));
        var picture0 = Directory.GetFiles(Out("class"), "0-*.jpg").Single();
        Assert.Null(ImageNote.Read(File.ReadAllBytes(picture0)));
        var error = Assert.ThrowsAny<Exception>(() => TrainedLora(config => config with { ClassPrompt = "a dog" }));
        Assert.Contains("were generated for the class_prompt 'a photo of a cat'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--sampler=dpmpp_2m_sde", "--sigmas=karras", "a cat")]
    [InlineData("--sampler=heun", "--guidance_end=0.5", "a cat")]
    [InlineData("--cfg_zero_star", "--guidance_rescale=0.7", "a cat")]
    [InlineData("--prompt_weighting", "--guidance_start=0.5", "a (cat:1.5)")]
    public void From_SamplingThatIsNotTheDefault_RepeatsThePicture(string first, string second, string prompt)
    {
        Generate($"--prompt={prompt}", "--num_images=2", "--seed=3", first, second);
        var source = Directory.GetFiles(Out("pictures"), "img_01.png", SearchOption.AllDirectories).Single();
        AssertSame(source, From(source, $"--model={TinyPipeline.Folder}"));
    }

    private static void AssertSame(string source, (int Code, string Output, string Error) run)
    {
        Assert.Equal((0, string.Empty), (run.Code, run.Error));
        Assert.Contains($"the same pixels as {source}, bit for bit", run.Output, StringComparison.Ordinal);
    }

    private static PictureRecord Record(string path) => PictureRecord.Read(ImageNote.Read(File.ReadAllBytes(path)))!;

    private string TrainedLora(Func<DreamBoothConfig, DreamBoothConfig>? change = null)
    {
        using var pipeline = TinyPipeline.Load();
        var config = TinyTraining.Run(_pictures.Folder, Out("run")) with
        {
            MaxTrainSteps = 2,
            LearningRate = 0.05,
            Rank = 2,
            TrainTextEncoder = true,
            WithPriorPreservation = true,
            ClassDataDir = Out("class"),
            ClassPrompt = "a photo of a cat",
            NumClassImages = 2,
            ValidationPrompt = "a cat in the snow",
            NumValidationImages = 2,
            ValidationInferenceSteps = 2,
            ValidationResolution = 32,
            OverwriteOutputDir = true,
        };
        TrainingSession.Train(change is null ? config : change(config), pipeline);
        return Out("run", LoraFile.DefaultName);
    }

    private string Generate(params string[] more)
    {
        var (code, output, error) = Run(
        [
            "generate", "--model", TinyPipeline.Folder, $"--tokenizers={TinyTokenizers.Root}", "--device=cpu", "--num_steps=2",
            "--width=32", "--height=32", "--output_dir", Out("pictures"), .. more,
        ]);
        Assert.Equal((0, string.Empty), (code, error));
        return output;
    }

    private (int Code, string Output, string Error) From(string source, params string[] more) => Run(
        ["generate", "--from", source, $"--tokenizers={TinyTokenizers.Root}", "--device=cpu", "--output_dir", Out("again"), .. more]);

    private static (int Code, string Output, string Error) Run(string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = LabCommandLine.Run(arguments, new Session(output, error, IsInteractive: false, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }

    private string Out(params string[] parts) => Path.Combine([_folder, .. parts]);
}
