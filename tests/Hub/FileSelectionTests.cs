using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Tests.Hub;

/// <summary>Which files are chosen of the repositories as they are published.</summary>
public sealed class FileSelectionTests
{
    private const string Index = """
        {"_class_name": "StableDiffusion3Pipeline", "_diffusers_version": "0.30", "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
         "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"], "text_encoder_3": ["transformers", "T5EncoderModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
         "tokenizer_2": ["transformers", "CLIPTokenizer"], "tokenizer_3": ["transformers", "T5TokenizerFast"], "transformer": ["diffusers", "SD3Transformer2DModel"], "vae": ["diffusers", "AutoencoderKL"], "feature_extractor": [null, null]}
        """;

    // What the published repository of Stable Diffusion 3.5-medium lists.
    private static readonly string[] Medium =
    [
        ".gitattributes", "LICENSE.md", "README.md", "mmdit-x.png", "model_index.json", "sd3.5_medium.safetensors",
        "sd3.5_medium_demo_example.png",
        "SD3.5M_example_workflow.json", "SD3.5M_SLG_example_workflow.json", "scheduler/scheduler_config.json",
        "text_encoder/config.json", "text_encoder/model.fp16.safetensors", "text_encoder/model.safetensors",
        "text_encoder_2/config.json", "text_encoder_2/model.fp16.safetensors", "text_encoder_2/model.safetensors",
        "text_encoder_3/config.json", "text_encoder_3/model-00001-of-00002.safetensors", "text_encoder_3/model-00002-of-00002.safetensors",
        "text_encoder_3/model.fp16-00001-of-00002.safetensors",
        "text_encoder_3/model.fp16-00002-of-00002.safetensors", "text_encoder_3/model.safetensors.index.fp16.json",
        "text_encoder_3/model.safetensors.index.json",
        "text_encoders/README.md", "text_encoders/clip_g.safetensors", "text_encoders/clip_l.safetensors",
        "text_encoders/t5xxl_fp16.safetensors", "text_encoders/t5xxl_fp8_e4m3fn.safetensors",
        "tokenizer/merges.txt", "tokenizer/special_tokens_map.json", "tokenizer/tokenizer_config.json", "tokenizer/vocab.json",
        "tokenizer_2/merges.txt", "tokenizer_2/special_tokens_map.json", "tokenizer_2/tokenizer_config.json", "tokenizer_2/vocab.json",
        "tokenizer_3/special_tokens_map.json", "tokenizer_3/spiece.model", "tokenizer_3/tokenizer.json",
        "tokenizer_3/tokenizer_config.json",
        "transformer/config.json", "transformer/diffusion_pytorch_model.safetensors", "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ];

    [Fact]
    public void Pipeline_PublishedMedium_TakesEachComponentOnce()
    {
        var choice = FileSelection.Pipeline(Medium, Index, null, "m");
        var expected = Medium.Where(
            file => file == "model_index.json"
                || (file.Contains('/', StringComparison.Ordinal) && !file.StartsWith("text_encoders/", StringComparison.Ordinal)
                && !file.Contains("fp16", StringComparison.Ordinal)));
        Assert.Equal(expected, choice.Files.OrderBy(file => Array.IndexOf(Medium, file)));
        Assert.Empty(choice.Notes);
    }

    [Fact]
    public void Pipeline_PublishedMediumFp16_TakesTheVariantWhereThereIsOne()
    {
        var choice = FileSelection.Pipeline(Medium, Index, "fp16", "m");
        Assert.Equal(
            [
                "text_encoder/model.fp16.safetensors", "text_encoder_2/model.fp16.safetensors",
                "text_encoder_3/model.fp16-00001-of-00002.safetensors", "text_encoder_3/model.fp16-00002-of-00002.safetensors",
                "text_encoder_3/model.safetensors.index.fp16.json", "transformer/diffusion_pytorch_model.safetensors",
                "vae/diffusion_pytorch_model.safetensors",
            ],
            choice.Files.Where(file => file.Contains(".safetensors", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["transformer of m has no variant fp16; its plain weights are used.",
                "vae of m has no variant fp16; its plain weights are used."], choice.Notes);
    }

    [Theory]
    [InlineData(
        "diffusion_pytorch_model-00001-of-00002.fp16.safetensors diffusion_pytorch_model-00002-of-00002.fp16.safetensors "
        + "diffusion_pytorch_model.safetensors.index.fp16.json", "fp16")]
    [InlineData("diffusion_pytorch_model.bf16-00001-of-00001.safetensors diffusion_pytorch_model.bf16.safetensors.index.json", "bf16")]
    [InlineData("diffusion_pytorch_model.safetensors", null)]
    public void Pipeline_FormsOfNames_AreKnown(string names, string? variant)
    {
        string[] others =
            ["transformer/diffusion_pytorch_model.fp8.safetensors", "transformer/diffusion_pytorch_model.bin",
                "transformer/diffusion_flax_model.msgpack", "transformer/old/diffusion_pytorch_model.safetensors"];
        var wanted = names.Split(' ').Select(name => $"transformer/{name}").ToList();
        var choice = FileSelection.Pipeline(
            [.. wanted, .. others], """{"transformer": ["diffusers", "SD3Transformer2DModel"]}""", variant, "m");
        Assert.Equal(wanted.Prepend("model_index.json").Order(StringComparer.Ordinal), choice.Files.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Pipeline_SingleAndShardsOfOneVariant_TakesTheSingleFile()
    {
        var choice = FileSelection.Pipeline(
            ["vae/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model-00001-of-00001.safetensors",
                "vae/diffusion_pytorch_model.safetensors.index.json"], """{"vae": ["diffusers", "AutoencoderKL"]}""", null, "m");
        Assert.Equal(["model_index.json", "vae/diffusion_pytorch_model.safetensors"], choice.Files);
    }

    [Fact]
    public void Pipeline_VariantThatNoneHas_SaysWhichThereAre()
    {
        var error = Assert.Throws<HubException>(() => FileSelection.Pipeline(Medium, Index, "fp32", "m"));
        Assert.Equal(
            "No component of m has weights of the variant 'fp32' (there is fp16). Leave --variant out to take the plain files.",
            error.Message);
    }

    [Theory]
    [InlineData("[]", "model_index.json of m is []; valid is a JSON object.")]
    [InlineData("{", "model_index.json of m is not valid JSON at line 1")]
    [InlineData("""{"vae": 1, "vae": 2}""", "model_index.json of m: vae appears twice")]
    public void Pipeline_BrokenIndex_SaysSo(string index, string message) =>
        Assert.Contains(
            message, Assert.Throws<LabException>(() => FileSelection.Pipeline([], index, null, "m")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("README.md pytorch_lora_weights.safetensors other.safetensors", "pytorch_lora_weights.safetensors")]
    [InlineData("my-style.safetensors a.png", "my-style.safetensors")]
    [InlineData("adapter_config.json adapter_model.safetensors b.safetensors", "adapter_model.safetensors adapter_config.json")]
    public void Lora_Repositories_TakeTheOneFile(string files, string expected) =>
        Assert.Equal(expected.Split(' '), FileSelection.Lora(files.Split(' '), "m").Files);

    [Theory]
    [InlineData("a.safetensors b.safetensors", "name one, such as m/a.safetensors. Others: b.safetensors.")]
    [InlineData("pytorch_lora_weights.bin", "its weights are in another format; only safetensors are read")]
    public void Lora_NoneOrSeveral_SaysWhatToDo(string files, string message) =>
        Assert.Contains(
            message, Assert.Throws<HubException>(() => FileSelection.Lora(files.Split(' '), "m")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("model.safetensors", "model.safetensors")]
    [InlineData("model.safetensors pytorch_model.bin tf_model.h5 flax_model.msgpack model.fp16.safetensors", "model.safetensors")]
    [InlineData(
        "model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json",
        "model-00001-of-00002.safetensors model-00002-of-00002.safetensors model.safetensors.index.json")]
    public void Encoder_PublishedClip_TakesConfigurationsTokenizerAndOneSetOfWeights(string weights, string expected)
    {
        string[] texts =
        [
            "config.json", "preprocessor_config.json", "merges.txt", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
            "vocab.json",
        ];
        var choice = FileSelection.Encoder(
            [".gitattributes", "README.md", "onnx/config.json", "onnx/model.onnx", .. texts, .. weights.Split(' ')], "lab/clip");
        Assert.Equal(texts.Concat(expected.Split(' ')).Order(), choice.Files.Order());
    }

    [Theory]
    [InlineData("facebook/dino-vits16", "facebook/dinov2-small has safetensors.")]
    [InlineData("openai/clip-vit-base-patch32", "openai/clip-vit-large-patch14 has safetensors.")]
    public void Encoder_PickleOnly_IsRefusedWithTheNameOfOneThatHasSafetensors(string repo, string expected)
    {
        var error = Assert.Throws<HubException>(
            () => FileSelection.Encoder(["config.json", "preprocessor_config.json", "pytorch_model.bin"], repo));
        Assert.Equal(HubErrorKind.NoSafetensors, error.Kind);
        Assert.StartsWith($"{repo} has no safetensors weights, only pytorch_model.bin: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.safetensors preprocessor_config.json", "m has no config.json")]
    [InlineData("model.safetensors config.json", "m has no preprocessor_config.json")]
    [InlineData("config.json preprocessor_config.json", "has no weights at all")]
    public void Encoder_NoEncoder_SaysWhatIsMissing(string files, string expected) => Assert.Contains(
        expected, Assert.Throws<HubException>(() => FileSelection.Encoder(files.Split(' '), "m")).Message, StringComparison.Ordinal);

    [Fact]
    public void IsWhole_MissingShard_IsNot()
    {
        var files = FileSelection.Pipeline(Medium, Index, null, "m").Files;
        Assert.True(FileSelection.IsWhole(files, Index, null, "m", orNearest: false));
        foreach (var missing in files.Where(
            file => file.Contains(".safetensors", StringComparison.Ordinal) && !file.EndsWith(".json", StringComparison.Ordinal)))
            Assert.False(FileSelection.IsWhole([.. files.Where(file => file != missing)], Index, null, "m", orNearest: false), missing);
        Assert.False(
            FileSelection.IsWhole(
                [.. files.Where(file => !file.StartsWith("tokenizer_3/", StringComparison.Ordinal))], Index, null, "m", orNearest: false));
        Assert.False(FileSelection.IsWhole(files, Index, "fp16", "m", orNearest: true));
        var half = FileSelection.Pipeline(Medium, Index, "fp16", "m").Files;
        Assert.False(FileSelection.IsWhole(half, Index, "fp16", "m", orNearest: false));
        Assert.True(FileSelection.IsWhole(half, Index, "fp16", "m", orNearest: true));
    }
}
