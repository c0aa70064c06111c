using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Models;

public sealed class ModelConfigTests : IDisposable
{
    private readonly string _model = Directory.CreateTempSubdirectory("lab-config-").FullName;

    public ModelConfigTests()
    {
        foreach (var file in Directory.EnumerateFiles(TinyPipeline.Folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(_model, Path.GetRelativePath(TinyPipeline.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.CreateSymbolicLink(target, file);
        }
    }

    public void Dispose() => Directory.Delete(_model, recursive: true);

    [Theory]
    [InlineData("transformer", "patch_size", "0", "patch_size is 0; valid is a whole number from 1 to 64.")]
    [InlineData("transformer", "num_layers", "100000", "num_layers is 100000; valid is a whole number from 1 to 512.")]
    [InlineData("transformer", "num_layers", "-1", "num_layers is -1; valid is a whole number from 1 to 512.")]
    [InlineData("transformer", "num_layers", "1e2", "num_layers is 1e2; valid is a whole number from -2147483648 to 2147483647.")]
    [InlineData(
        "transformer", "pooled_projection_dim", "-2147483648",
        "pooled_projection_dim is -2147483648; valid is a whole number from 1 to 65536.")]
    [InlineData(
        "transformer", "dual_attention_layers", "[0, 7000]", "dual_attention_layers[1] is 7000; valid is a whole number from 0 to ")]
    [InlineData("transformer", "dual_attention_layers", "null", "dual_attention_layers is null; valid is a list.")]
    [InlineData("vae", "norm_num_groups", "7", "norm_num_groups is 7; it must divide each of block_out_channels, and ")]
    [InlineData("vae", "norm_num_groups", "0", "norm_num_groups is 0; valid is a whole number from 1 to 4096.")]
    [InlineData("vae", "block_out_channels", "[]", "the number of block_out_channels is 0; valid is a whole number from 1 to 8.")]
    [InlineData("vae", "scaling_factor", "1e999", "scaling_factor is Infinity; valid is a finite number above 0.")]
    [InlineData("vae", "shift_factor", "\"NaN\"", "shift_factor is NaN; valid is a finite number, or null.")]
    [InlineData("text_encoder", "num_attention_heads", "0", "num_attention_heads is 0; valid is a whole number from 1 to 1024.")]
    [InlineData(
        "text_encoder_2", "vocab_size", "99999999999",
        "vocab_size is 99999999999; valid is a whole number from -2147483648 to 2147483647.")]
    [InlineData("text_encoder_3", "d_ff", "-2147483648", "d_ff is -2147483648; valid is a whole number from 1 to 1048576.")]
    [InlineData("text_encoder_3", "num_layers", "true", "num_layers is true; valid is a whole number from -2147483648 to 2147483647.")]
    public void Load_ConfigOutOfRange_NamesFileAndFieldBeforeAnythingIsMade(string component, string field, string value, string message)
    {
        var path = Change(component, field, value);
        Assert.StartsWith($"{path}: {message}", Assert.Throws<LabException>(() => Load()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "transformer", "pooled_projection_dim", "7",
        "The transformer's pooled_projection_dim is 7; the projection_dim of both CLIP encoders add up to ")]
    [InlineData(
        "transformer", "joint_attention_dim", "1",
        "The transformer's joint_attention_dim is 1; the hidden_size of both CLIP encoders add up to ")]
    [InlineData("transformer", "in_channels", "5", "The transformer's in_channels is 5; the autoencoder's latent_channels is ")]
    public void Load_ModelsThatDoNotFitEachOther_SaysWhichSizes(string component, string field, string value, string message)
    {
        Change(component, field, value);
        Assert.StartsWith($"{_model}: {message}", Assert.Throws<LabException>(() => Load()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WeightsOfAnotherSize_NamesTensors()
    {
        Change("transformer", "num_layers", "512");
        Assert.Contains("transformer_blocks.", Assert.Throws<LabException>(() => Load()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_TokenizersWithoutALimit_TakeTheEncodersWindow()
    {
        using var usual = Load();
        var window = usual.Prompts.Clip.Config.MaxPositionEmbeddings;
        foreach (var name in new[] { "tokenizer", "tokenizer_2", "tokenizer_3" })
            Change(name, "model_max_length", "1000000000000000019884624838656", "tokenizer_config.json");
        using var endless = Load();
        using var text = endless.Prompts.Encode(["a photo of gmc cat"]);
        Assert.Equal(window + 256, text.PromptEmbeds.shape[1]);
    }

    [Fact]
    public void Encode_VocabularySmallerThanTheTokenizers_SaysSo()
    {
        using var pipeline = Load();
        var prompts = pipeline.Prompts;
        var other = new PromptEncoder(
            prompts.Clip, prompts.Clip2, prompts.T5, new OneToken(1 << 20), prompts.Tokenizer2, prompts.Tokenizer3, 32);
        var message = Assert.Throws<LabException>(() => other.Encode(["a"])).Message;
        Assert.StartsWith(
            $"The CLIP tokenizer gives the token id 1048576, but its encoder knows {prompts.Clip.Config.VocabSize} tokens (vocab_size)",
            message, StringComparison.Ordinal);
    }

    private StableDiffusion3Pipeline Load() =>
        StableDiffusion3Pipeline.Load(_model, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root });

    private string Change(string component, string field, string value, string file = "config.json")
    {
        var path = Path.Combine(_model, component, file);
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json[field] = "(changed)";
        File.Delete(path);
        File.WriteAllText(path, json.ToJsonString().Replace("\"(changed)\"", value, StringComparison.Ordinal));
        return path;
    }

    private sealed class OneToken(int id) : ITextTokenizer
    {
        public int ModelMaxLength => 77;

        public int PadTokenId => id;

        public int? EosTokenId => id;

        public IReadOnlyList<int> Encode(string text) => [id];

        public long[] EncodePadded(string text, int maxLength) => [.. Enumerable.Repeat((long)id, maxLength)];

        public string Token(int token) => "x";

        public string TokenText(int token) => "x";
    }
}
