using System.Text.Json;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

[Trait("Category", "Parity")]
public sealed class StableDiffusion3PipelineTests
{
    private const double Tolerance = 2e-4;

    public static TheoryData<GoldenCase> Runs => GoldenSet.Cases("pipeline", file => file.Has("final_latents"));

    [Theory]
    [MemberData(nameof(Runs))]
    public void Generate_GoldenLatents_EqualsTheReferenceAtEveryStep(GoldenCase golden)
    {
        golden.Require();
        var args = golden.Entry.Meta!.Value.GetProperty("args");
        var before = args.TryGetProperty("before", out var setUp) ? setUp.GetString()! : string.Empty;
        var (withT5, withLora) =
            (!before.Contains("text_encoder_3=None", StringComparison.Ordinal),
                before.Contains("load_lora_weights", StringComparison.Ordinal));
        using var own = withLora ? PipelineFixture.Load(golden, withT5) : null;
        var pipeline = own ?? PipelineFixture.Shared(golden, withT5);
        using var scope = NewDisposeScope();
        if (withLora)
            LoadLora(pipeline, before, args);

        var request = Request(args, golden.Load("latents"));
        var scheduler = new FlowMatchEulerDiscreteScheduler(pipeline.SchedulerConfig);
        scheduler.SetTimesteps(request.NumInferenceSteps);
        GoldenAssert.Exact(golden.Load("timesteps"), tensor(scheduler.Timesteps.ToArray()), "timesteps");
        GoldenAssert.Exact(golden.Load("sigmas"), tensor(scheduler.Sigmas.ToArray()), "sigmas");

        var steps = golden.Has("step_latents") ? golden.Load("step_latents") : null;
        var seen = 0;
        var latents = pipeline.Denoise(request, step =>
        {
            seen++;
            if (steps is not null)
                GoldenAssert.Close(steps[step.Step - 1], step.Latents, Tolerance, $"latents after step {step.Step}");
        });
        Assert.Equal(request.NumInferenceSteps, seen);
        GoldenAssert.Close(golden.Load("final_latents"), latents, Tolerance, "final latents");
        var image = pipeline.Decode(golden.Load("final_latents").Here());
        GoldenAssert.Close(golden.Load("image_raw"), image, 2e-5, "image of the golden latents");
        GoldenAssert.Close(golden.Load("image_raw"), pipeline.Decode(latents), Tolerance, "image");
        CompareWithPng(golden, PixelTensors.Unstack(pipeline.Decode(latents))[0]);
    }

    private static void CompareWithPng(GoldenCase golden, RgbImage image)
    {
        var path = Path.ChangeExtension(golden.FullPath, ".png");
        if (!GoldenSet.IsFull && !File.Exists(path))
            return;
        var expected = ImageDecoder.Load(path);
        Assert.Equal((expected.Width, expected.Height), (image.Width, image.Height));
        var largest = expected.Pixels.Zip(image.Pixels, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(largest <= 1, $"{path}: the largest difference is {largest} levels");
    }

    private static void LoadLora(StableDiffusion3Pipeline pipeline, string before, JsonElement args)
    {
        var folder = before.Split('\'')[1].Split('/');
        var report = pipeline.LoadLora(GoldenSet.PathOf(folder[0], string.Join('/', folder[1..])));
        Assert.Equal(report.FileTensors, report.MatchedTensors);
        if (args.TryGetProperty("joint_attention_kwargs", out var kwargs))
            pipeline.Adapters[0].Weight = kwargs.GetProperty("scale").GetDouble();
    }

    private static GenerationRequest Request(JsonElement args, Tensor latents)
    {
        var prompts = Strings(args.GetProperty("prompt"))!;
        var request = new GenerationRequest
        {
            Prompts = prompts,
            NegativePrompts = Strings(args.GetProperty("negative_prompt")),
            NumInferenceSteps = args.GetProperty("num_inference_steps").GetInt32(),
            GuidanceScale = args.GetProperty("guidance_scale").GetDouble(),
            Height = args.GetProperty("height").GetInt32(),
            Width = args.GetProperty("width").GetInt32(),
            NumImagesPerPrompt = Number(args, "num_images_per_prompt") is { } images ? (int)images : 1,
            MaxSequenceLength = (int?)Number(args, "max_sequence_length"),
            ClipSkip = (int?)Number(args, "clip_skip"),
            SkipGuidanceLayers = args.TryGetProperty("skip_guidance_layers", out var layers)
                ? [.. layers.EnumerateArray().Select(layer => layer.GetInt32())]
                : null,
            Latents = latents,
        };
        return request with
        {
            SkipLayerGuidanceScale = Number(args, "skip_layer_guidance_scale") ?? request.SkipLayerGuidanceScale,
            SkipLayerGuidanceStart = Number(args, "skip_layer_guidance_start") ?? request.SkipLayerGuidanceStart,
            SkipLayerGuidanceStop = Number(args, "skip_layer_guidance_stop") ?? request.SkipLayerGuidanceStop,
        };
    }

    private static double? Number(JsonElement args, string name) =>
        args.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static IReadOnlyList<string>? Strings(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [value.GetString()!],
        JsonValueKind.Array => [.. value.EnumerateArray().Select(item => item.GetString()!)],
        _ => null,
    };
}
