using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class TrainingExportsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-exports-").FullName;
    private readonly PictureSamples _pictures = new();
    private readonly List<string> _warnings = [];

    public TrainingExportsTests() => _pictures.Add("0.png", seed: 0);

    private DreamBoothConfig Config => TinyTraining.Run(_pictures.Folder, Path.Combine(_folder, "run")) with
    {
        MaxTrainSteps = 1,
        LearningRate = 0.1,
        Rank = 2,
    };

    public void Dispose()
    {
        _pictures.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Train_AllLayouts_EachDrawsAsTheLora()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Config with { Export = "diffusers, ComfyUI,kohya,peft", LoraAlpha = 1, ExportDtype = "auto" };
        Train(config, pipeline);
        string[] files = [LoraFile.DefaultName, "comfyui_lora_weights.safetensors", "kohya_lora_weights.safetensors", "peft"];
        var pictures = files.Select(file =>
        {
            var layout = pipeline.LoadLora(Out(file)).Layout;
            var image = pipeline.Generate(
                new GenerationRequest { Prompts = ["a cat"], NumInferenceSteps = 2, Height = 32, Width = 32, MaxSequenceLength = 8 })[0];
            pipeline.UnloadLora(pipeline.Adapters[0]);
            return (Layout: layout, image.Pixels);
        }).ToArray();
        Assert.Equal(
            [LoraFileLayout.Diffusers, LoraFileLayout.Original, LoraFileLayout.Kohya, LoraFileLayout.Peft],
            pictures.Select(picture => picture.Layout));
        Assert.All(pictures, picture => Assert.InRange(
            picture.Pixels.Zip(pictures[0].Pixels, (a, b) => Math.Abs(a - b)).Max(), 0, 1));
        Assert.Empty(_warnings);

        // Another set of layouts leaves no file of these, and none of the user's own is touched.
        File.WriteAllText(Out("peft/notes.txt"), "mine");
        Train(Config with { ExportDtype = "none" }, pipeline);
        Assert.Equal([true, false, false, true], files.Select(file => Path.Exists(Out(file))));
        Assert.Equal(["notes.txt"], Directory.GetFiles(Out("peft")).Select(file => Path.GetFileName(file)!));
    }

    [Fact]
    public void Prepare_DoraOfQueriesAlone_IsRefusedBeforeTheTraining()
    {
        using var pipeline = TinyPipeline.Load();
        var config = Config with { Export = "kohya", LoraVariant = LoraVariant.Dora, LoraLayers = "attn.to_q" };
        var error = Assert.Throws<LabException>(() => Train(config, pipeline));
        Assert.StartsWith("export is kohya: ", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Out(LoraFile.DefaultName)));
        Assert.DoesNotContain(
            pipeline.Transformer.named_modules(), entry => entry.module is Dreambooth.Lab.Layers.LoraLinear { Adapters.Count: > 0 });
    }

    [Theory]
    [InlineData("webui", false, "export names 'webui'; valid is a list of ")]
    [InlineData("kohya", true, "export names kohya, which has no place for the biases of lora_bias")]
    public void Validate_LayoutThatCannotBe_IsRefused(string export, bool bias, string message) => Assert.Contains(
        message, Assert.Throws<LabException>(() => (Config with { Export = export, LoraBias = bias }).Validate()).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Notices_RecipeOfOld_IsTakenAsTheElementType()
    {
        var old = DreamBoothConfig.FromJson(
            Config.ToJson().Replace("\"export\": \"diffusers\"", "\"export\": \"none\"", StringComparison.Ordinal));
        old.Validate();
        Assert.Contains("is taken as export_dtype", Assert.Single(old.Notices()), StringComparison.Ordinal);
        using var pipeline = TinyPipeline.Load();
        Train(old with { LoraAlpha = 1 }, pipeline);
        Assert.False(File.Exists(Out(LoraExport.DefaultName)));
    }

    private string Out(string name) => Path.Combine(_folder, "run", name);

    private void Train(DreamBoothConfig config, StableDiffusion3Pipeline pipeline) =>
        TrainingSession.Train(config, pipeline, new TrainingEvents { OnWarning = _warnings.Add });
}
