using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Data;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class ImageToImageTests
{
    private const string Folder = "pipelines_2";
    private const double Tolerance = 2e-4;

    private static readonly Lazy<StableDiffusion3Pipeline> Shared = new(() => TinyPipeline.Load(withT5: false));

    private static GenerationRequest Small { get; } = new()
    {
        Prompts = ["a photo of gmc cat"],
        NumInferenceSteps = 4,
        GuidanceScale = 3,
        Height = 16,
        Width = 32,
        Seed = 7,
        MaxSequenceLength = 8,
        Image = PictureSamples.Draw(40, 20, 1),
        Strength = 0.5,
    };

    public static TheoryData<GoldenCase> Runs => GoldenSet.Cases(Folder, file => file.Has("final_latents"));

    public static TheoryData<GoldenCase> Preprocessed => GoldenSet.Cases(
        Folder, file => file.Name.StartsWith("preprocess/", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Runs))]
    [Trait("Category", "Parity")]
    public void Denoise_GoldenImage_EqualsTheReferenceAtEveryStep(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var pipeline = PipelineFixture.Shared(golden);
        var args = golden.Entry.Meta!.Value.GetProperty("args");
        var mask = golden.Has("mask_image") ? golden.Load("mask_image") : null;
        var pixels = Input(golden, args.GetProperty("image").GetString()!).mul(2).sub(1);
        var request = Request(golden, args, pixels);
        Assert.Equal(args.GetProperty("steps_run").GetInt32(), request.StepsRun);

        var given = golden.Has("latents_in");
        var start = given && mask is null ? null : pipeline.StartOf(request, pixels, mask);
        if (golden.Has("image_latents"))
            GoldenAssert.Close(golden.Load("image_latents"), start!.Latents, 2e-5, "latents of the picture");
        if (golden.Has("mask_latents"))
            GoldenAssert.Exact(golden.Load("mask_latents"), start!.Mask!, "mask");
        var (steps, seen) = (golden.Load("step_latents"), 0);
        var last = pipeline.Denoise(
            request, given ? golden.Load("latents_in").to(TestDevice.Device) : start!.Noise, Embeddings(golden, args, string.Empty),
            request.UsesGuidance ? Embeddings(golden, args, "negative_") : null,
            step => GoldenAssert.Close(steps[seen++], step.Latents, Tolerance, $"latents after step {step.Step}"),
            CancellationToken.None, start);
        Assert.Equal(request.StepsRun, seen);
        GoldenAssert.Close(golden.Load("final_latents"), last, Tolerance, "final latents");
        ComparePictures(golden, pipeline, last, mask is not null);
    }

    [Theory]
    [MemberData(nameof(Preprocessed))]
    [Trait("Category", "Parity")]
    public void Resize_GoldenPictureAndMask_EqualPil(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        RgbImage Load(string name) => ImageDecoder.Load(GoldenSet.PathOf(Folder, $"preprocess/{name}"));
        var (image, mask) = (golden.Load("image"), golden.Load("mask"));
        var (height, width) = ((int)image.shape[2], (int)image.shape[3]);
        var resized = ImageResizer.Resize(Load("image.png"), width, height, ResizeFilter.Lanczos);
        GoldenAssert.Close(image, PixelTensors.Stack([resized]), 1e-6, "picture");
        GoldenAssert.Exact(mask, ImageStart.MaskOf(ImageStart.Gray(Load("mask.png"), width, height), 1), "mask");
    }

    [Fact]
    public void Denoise_Strength_DecidesHowManyStepsRun()
    {
        using var scope = NewDisposeScope();
        foreach (var (strength, expected) in new[] { (0.01, 1), (0.3, 2), (0.5, 2), (1.0, 4) })
        {
            var steps = new List<(int, int)>();
            Shared.Value.Denoise(Small with { Strength = strength }, step => steps.Add((step.Step, step.Count)));
            Assert.Equal([.. Enumerable.Range(1, expected).Select(step => (step, expected))], steps);
        }
    }

    [Fact]
    public void Denoise_Mask_KeepsThePicturesLatentsWhereItIsBlack()
    {
        using var scope = NewDisposeScope();
        var mask = new RgbImage(32, 16);
        for (var y = 0; y < 16; y++)
            mask.Row(y)[..48].Fill(255);
        var request = Small with { Mask = mask, Strength = 1, NumImagesPerPrompt = 2 };
        var start = Shared.Value.StartOf(
            request, PixelTensors.Stack([ImageResizer.Resize(request.Image!, 32, 16, ResizeFilter.Lanczos)]), null);
        var latents = Shared.Value.Denoise(request);
        GoldenAssert.Exact(start.Latents.narrow(3, 2, 2), latents.narrow(3, 2, 2), "what is kept");
        Assert.True(GoldenAssert.RelativeError(start.Latents.narrow(3, 0, 2), latents.narrow(3, 0, 2)) > 0.01);
        Assert.NotEqual(latents[0].narrow(2, 0, 2).ToString(true), latents[1].narrow(2, 0, 2).ToString(true));
    }

    public static TheoryData<SamplerKind> Samplers => [.. Enum.GetValues<SamplerKind>()];

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Denoise_EverySampler_BeginsAtThePicturesLevelAndKeepsWhatIsMasked(SamplerKind kind)
    {
        using var scope = NewDisposeScope();
        var mask = new RgbImage(32, 16);
        for (var y = 0; y < 16; y++)
            mask.Row(y)[..48].Fill(255);
        var request = Small with { Mask = mask, NumInferenceSteps = 6, Strength = 0.5, Sampler = new() { Kind = kind } };
        var start = Shared.Value.StartOf(
            request, PixelTensors.Stack([ImageResizer.Resize(request.Image!, 32, 16, ResizeFilter.Lanczos)]), null);
        var sigmas = new List<double>();
        var latents = Shared.Value.Denoise(request, step => sigmas.Add(step.Sigma));
        GoldenAssert.Exact(start.Latents.narrow(3, 2, 2), latents.narrow(3, 2, 2), "what is kept");
        Assert.Equal(kind == SamplerKind.Heun ? 5 : 3, sigmas.Count);
        Assert.Equal(0, sigmas[^1]);
        // From nearly no noise, whatever the sampler: the picture.
        var near = Shared.Value.Denoise(Small with { NumInferenceSteps = 100, Strength = 0.01, Sampler = new() { Kind = kind } });
        Assert.True(GoldenAssert.RelativeError(start.Latents, near) < 0.15);
    }

    [Fact]
    public void Generate_ImageWithoutSize_HasItsShapeAndTheModelsArea()
    {
        var picture = Shared.Value.Generate(
            Small with { Height = null, Width = null, Image = PictureSamples.Draw(90, 40, 1), NumInferenceSteps = 1, Strength = 1 })[0];
        Assert.Equal((96, 48), (picture.Width, picture.Height));
    }

    [Fact]
    public void Validate_ImageSettings_NamesWhatIsWrong()
    {
        void Fails(string message, GenerationRequest request) => Assert.Contains(
            message, Assert.Throws<LabException>(request.Validate).Message, StringComparison.Ordinal);
        Fails("strength is 0; above 0 and at most 1 is valid", Small with { Strength = 0 });
        Fails("strength is 1.5", Small with { Strength = 1.5 });
        Fails("there is a mask but no picture", Small with { Image = null, Mask = new RgbImage(2, 2) });
        Fails("the mask has 20x20 pixels and the picture 40x20", Small with { Mask = new RgbImage(20, 20) });
    }

    private static void ComparePictures(GoldenCase golden, StableDiffusion3Pipeline pipeline, Tensor latents, bool isInpainted)
    {
        if (!golden.Has("image_out"))
            return;
        // The reference's inpainting leaves the shift out.
        var asReference = isInpainted
            ? pipeline.Vae.Decode(latents.div(pipeline.Vae.Config.ScalingFactor)) : pipeline.Decode(latents);
        GoldenAssert.Close(golden.Load("image_out"), Levels(asReference), Tolerance, "picture");
        if (golden.Has("image_out_with_shift_factor"))
            GoldenAssert.Close(golden.Load("image_out_with_shift_factor"), Levels(pipeline.Decode(latents)), Tolerance, "with the shift");
        if (golden.Has("image_out_shift_factor_max_abs"))
            GoldenAssert.Close(
                golden.Load("image_out_shift_factor_max_abs"),
                (Levels(pipeline.Decode(latents)) - Levels(asReference)).abs().max().view(1), 2 * Tolerance, "how far the shift is");
    }

    private static Tensor Levels(Tensor pixels) => pixels.mul(0.5).add(0.5).clamp(0, 1);

    private static GenerationRequest Request(GoldenCase golden, JsonElement args, Tensor pixels) => new()
    {
        Prompts = [.. Enumerable.Repeat("given", (int)pixels.shape[0])],
        Image = new RgbImage((int)pixels.shape[3], (int)pixels.shape[2]),
        Strength = args.GetProperty("strength").GetDouble(),
        NumInferenceSteps = args.GetProperty("num_inference_steps").GetInt32(),
        GuidanceScale = args.GetProperty("guidance_scale").GetDouble(),
        Height = args.GetProperty("height").GetInt32(),
        Width = args.GetProperty("width").GetInt32(),
        Latents = golden.Has("latents_in") ? golden.Load("latents_in") : null,
        EncodingNoise = golden.Has("vae_eps") ? golden.Load("vae_eps") : null,
        StartNoise = golden.Has("noise") ? golden.Load("noise") : null,
    };

    private static Tensor Input(GoldenCase golden, string key) =>
        GoldenSet.Load(Folder, $"inputs.{golden.Pipeline}.safetensors", key).to(TestDevice.Device);

    private static PromptEmbeddings Embeddings(GoldenCase golden, JsonElement args, string prefix)
    {
        var batch = args.GetProperty("embeddings").GetString();
        return new(Input(golden, $"{batch}.{prefix}prompt_embeds"), Input(golden, $"{batch}.{prefix}pooled_prompt_embeds"));
    }
}
