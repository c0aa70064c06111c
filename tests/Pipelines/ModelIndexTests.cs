using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class ModelIndexTests : IDisposable
{
    private const string Components = """
        "transformer": ["diffusers", "SD3Transformer2DModel"], "vae": ["diffusers", "AutoencoderKL"], "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "text_encoder": ["transformers", "CLIPTextModelWithProjection"], "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer": ["transformers", "CLIPTokenizer"]
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-index-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_WithoutTheThirdEncoder_IsComplete()
    {
        var index = Read(
            $$"""{"_class_name": "StableDiffusion3Pipeline", {{Components}}, "tokenizer_2": ["transformers", "CLIPTokenizerFast"], "text_encoder_3": [null, null], "tokenizer_3": [null, null], "image_encoder": [null, null]}""");
        Assert.True(index.Has("tokenizer_2"));
        Assert.False(index.Has("text_encoder_3"));
        Assert.Equal(Path.Combine(_folder, "vae"), index.PathOf("vae"));
    }

    [Fact]
    public void Components_ShippedFolder_HaveTheirFiles()
    {
        var components = ModelIndex.Read(Path.Combine(Golden.GoldenSet.RepositoryRoot, "data", "sd3-mini")).Components;
        Assert.Equal(9, components.Count);
        var vae = components.Single(component => component.Name == "vae");
        Assert.Equal(
            ("AutoencoderKL", new FileInfo(Path.Combine(Golden.GoldenSet.RepositoryRoot, "data", "sd3-mini", "vae", "config.json")).Length),
            (vae.ClassName,
                vae.Bytes - new FileInfo(
                    Path.Combine(
                        Golden.GoldenSet.RepositoryRoot, "data", "sd3-mini", "vae", "diffusion_pytorch_model.safetensors")).Length));
        Assert.Equal(["config.json", "diffusion_pytorch_model.safetensors"], vae.Files);
    }

    [Theory]
    [InlineData("""{"_class_name": "FluxPipeline"}""", "describes a FluxPipeline; StableDiffusion3Pipeline is needed")]
    [InlineData("{}", "describes a (none)")]
    [InlineData(
        """{"_class_name": "StableDiffusion3Pipeline", "vae": ["diffusers", "AutoencoderTiny"]}""",
        "vae is a AutoencoderTiny; AutoencoderKL is needed")]
    [InlineData("""{"_class_name": "StableDiffusion3Pipeline", COMPONENTS}""", "lacks tokenizer_2.")]
    [InlineData("[]", "model_index.json")]
    public void Read_OtherPipelines_AreRefused(string json, string message) =>
        Assert.Contains(
            message, Assert.Throws<LabException>(() => Read(json.Replace("COMPONENTS", Components, StringComparison.Ordinal))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Read_NoFolderOrNoIndex_SaysWhatIsNeeded()
    {
        Assert.Contains(
            "There is no model folder", Assert.Throws<LabException>(() => ModelIndex.Read(Path.Combine(_folder, "none"))).Message,
            StringComparison.Ordinal);
        Assert.Contains("model_index.json", Assert.Throws<LabException>(() => ModelIndex.Read(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PartOfAModelOrAFolderOfModels_NamesTheModel()
    {
        var model = Path.Combine(Golden.GoldenSet.RepositoryRoot, "data", "sd3-mini");
        var part = Path.Combine(model, "vae");
        Fails($"{part} holds no model_index.json. It is a part of the model {model}: name that.", part);
        Fails($"It is a part of the model {model}: name that.", part + Path.DirectorySeparatorChar);
        Fails($"Name a model in it: {model}.", Path.GetDirectoryName(model)!);
        Fails(
            $"{Path.Combine(model, "model_index.json")} is the index of a model: name its folder, {model}.",
            Path.Combine(model, "model_index.json"));
        Fails(
            $"It is a part of the model {model}: name that.", Path.Combine(part, "diffusion_pytorch_model.safetensors"));
        Fails($"{Path.Combine(part, "config.json")} is a part of the model {model}: name that.", Path.Combine(part, "config.json"));
        File.WriteAllText(Path.Combine(_folder, "pytorch_lora_weights.safetensors"), "x");
        Fails("It holds a LoRA, which is given beside a model.", _folder);

        static void Fails(string message, string path) => Assert.Contains(
            message, Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(path, new PipelineOptions())).Message,
            StringComparison.Ordinal);
    }

    private ModelIndex Read(string json)
    {
        File.WriteAllText(Path.Combine(_folder, "model_index.json"), json);
        return ModelIndex.Read(_folder);
    }
}
