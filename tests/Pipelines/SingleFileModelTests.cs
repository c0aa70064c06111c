using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class SingleFileModelTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("lab-single-").FullName;
    private readonly OriginalFile _original;

    public SingleFileModelTests() => _original = new OriginalFile(Path.Combine(_root, "published"));

    private const string Apart = "apart";

    private string FilePath => Path.Combine(_root, Apart, "any name.safetensors");

    private (string, IEnumerable<(string, Tensor)>) TransformerPart => (OriginalKeys.TransformerPrefix, _original.Transformer);

    private (string, IEnumerable<(string, Tensor)>) VaePart => (OriginalKeys.VaePrefix, _original.Vae);

    private (string, IEnumerable<(string, Tensor)>)[] TextParts =>
        [(OriginalKeys.ClipPrefix, _original.Clip), (OriginalKeys.Clip2Prefix, _original.Clip2), (OriginalKeys.T5Prefix, _original.T5)];

    public void Dispose()
    {
        _original.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Load_EverythingInside_DrawsTheSamePictures()
    {
        OriginalFile.Save(FilePath, ScalarType.BFloat16, [TransformerPart, VaePart, .. TextParts]);
        Assert.Equal(Generate(_original.Folder, Options()), Generate(FilePath, Options()));
    }

    // Float32 weights stay mapped where they lie in the file; kernels round by how rows are aligned, so the weights are compared, not
    // pictures.
    [Theory]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Float32)]
    public void Load_EverythingInside_HasTheSameWeights(ScalarType stored)
    {
        OriginalFile.Save(FilePath, stored, [TransformerPart, VaePart, .. TextParts]);
        using var published = StableDiffusion3Pipeline.Load(_original.Folder, Options());
        using var single = StableDiffusion3Pipeline.Load(FilePath, Options());
        foreach (var (expected, actual) in Models(published).Zip(Models(single)))
        {
            var weights = StateDictLoader.StateDict(actual);
            Assert.NotEmpty(weights);
            Assert.All(StateDictLoader.StateDict(expected), weight => GoldenAssert.Exact(weight.Value, weights[weight.Key], weight.Key));
        }
    }

    [Fact]
    public void Load_TextEncodersAndVaeAsFilesApart_DrawsTheSamePictures()
    {
        OriginalFile.Save(FilePath, ScalarType.BFloat16, ("", _original.Transformer));
        var beside = Path.Combine(_root, Apart);
        OriginalFile.Save(Path.Combine(beside, "sd3_vae.safetensors"), ScalarType.BFloat16, ("", _original.Vae));
        OriginalFile.Save(Path.Combine(beside, "text_encoders", "clip_l.safetensors"), ScalarType.BFloat16, ("", _original.Clip));
        OriginalFile.Save(Path.Combine(beside, "text_encoders", "clip_g.safetensors"), ScalarType.BFloat16, ("", _original.Clip2));
        OriginalFile.Save(Path.Combine(beside, "text_encoders", "t5xxl_fp16.safetensors"), ScalarType.BFloat16, ("", _original.T5));
        Assert.Equal(Generate(_original.Folder, Options()), Generate(FilePath, Options()));
    }

    [Fact]
    public void Load_TextEncodersInAPublishedFolder_DrawsTheSamePictures()
    {
        OriginalFile.Save(FilePath, ScalarType.BFloat16, TransformerPart, VaePart);
        Assert.Equal(Generate(_original.Folder, Options()), Generate(FilePath, Options() with { ComponentsFolder = _original.Folder }));
    }

    [Fact]
    public void Load_WithoutT5_DrawsAsTheFolderWithoutT5()
    {
        OriginalFile.Save(FilePath, ScalarType.BFloat16, [TransformerPart, VaePart, .. TextParts[..2]]);
        var options = Options() with { WithT5 = false };
        Assert.Equal(Generate(_original.Folder, options), Generate(FilePath, options));
        var message = Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(FilePath, Options())).Message;
        Assert.Contains("is the tiny model without the T5 encoder", message, StringComparison.Ordinal);
        Assert.Contains("--without_t5", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OneKeyTooManyOrTooFew_NamesIt()
    {
        using var scope = NewDisposeScope();
        OriginalFile.Save(
            FilePath, ScalarType.BFloat16,
            [TransformerPart, VaePart, .. TextParts, ("model.diffusion_model.joint_blocks.1.stray.", [("weight", ones(1))])]);
        Assert.Contains(
            "1 unexpected: joint_blocks.1.stray.weight",
            Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(FilePath, Options())).Message, StringComparison.Ordinal);
        OriginalFile.Save(FilePath, ScalarType.BFloat16, [TransformerPart, VaePart, .. TextParts, ("model_ema.", [("decay", ones(1))])]);
        Assert.Contains(
            "belong to no component of the tiny model: model_ema.decay",
            Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(FilePath, Options())).Message, StringComparison.Ordinal);
        OriginalFile.Save(
            FilePath, ScalarType.BFloat16,
            [(OriginalKeys.TransformerPrefix, _original.Transformer.Where(tensor => tensor.Key != "joint_blocks.2.x_block.attn.qkv.bias")),
                VaePart, .. TextParts]);
        Assert.Contains(
            "transformer_blocks.2.attn.to_q.bias",
            Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(FilePath, Options())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoTransformerOrAnUnknownOne_SaysWhatIsKnown()
    {
        OriginalFile.Save(FilePath, ScalarType.BFloat16, VaePart);
        Assert.Contains(
            "holds no Stable Diffusion 3 transformer", Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(FilePath)).Message,
            StringComparison.Ordinal);
        OriginalFile.Save(FilePath, ScalarType.BFloat16, TransformerPart);
        var message = Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(FilePath)).Message;
        Assert.Contains(
            "It has 4 blocks of width 48, 169 positions, queries and keys normalised, second attention in blocks 0,1.", message,
            StringComparison.Ordinal);
        Assert.Contains("Stable Diffusion 3.5-large: 38 blocks of width 2432", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Variant_IsPreferredAndMustBeSomewhere()
    {
        // The plain transformer is broken, so that only the variant can have been read.
        var transformer = Path.Combine(_original.Folder, "transformer");
        var expected = Generate(_original.Folder, Options());
        File.Move(
            Path.Combine(transformer, "diffusion_pytorch_model.safetensors"),
            Path.Combine(transformer, "diffusion_pytorch_model.fp16.safetensors"));
        File.WriteAllText(Path.Combine(transformer, "diffusion_pytorch_model.safetensors"), "broken");
        Assert.Equal(expected, Generate(_original.Folder, Options() with { Variant = "fp16" }));
        Assert.Contains(
            "variant 'bf16'",
            Assert.Throws<LabException>(() => StableDiffusion3Pipeline.Load(_original.Folder, Options() with { Variant = "bf16" })).Message,
            StringComparison.Ordinal);
    }

    private static nn.Module[] Models(StableDiffusion3Pipeline pipeline) =>
        [pipeline.Transformer, pipeline.Vae, pipeline.Prompts.Clip, pipeline.Prompts.Clip2, pipeline.Prompts.T5!];

    private PipelineOptions Options() => new() { TokenizersFolder = TinyTokenizers.Root, SingleFilePresets = [_original.Preset] };

    private static byte[] Generate(string model, PipelineOptions options)
    {
        using var pipeline = StableDiffusion3Pipeline.Load(model, options);
        var pictures = pipeline.Generate(new GenerationRequest
        {
            Prompts = ["a photo of a cat"],
            NumInferenceSteps = 2,
            Height = 32,
            Width = 48,
            GuidanceScale = 4,
            Seed = 3,
            MaxSequenceLength = 16,
        });
        return pictures.Single().Pixels.ToArray();
    }
}
