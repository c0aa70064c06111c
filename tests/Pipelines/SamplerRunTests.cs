using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Schedulers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>Whole runs of the pipeline with each sampler.</summary>
public sealed class SamplerRunTests
{
    private const double RunTolerance = 2e-4;

    private static GenerationRequest Small { get; } = new()
    {
        Prompts = ["a photo of gmc cat"],
        NumInferenceSteps = 3,
        GuidanceScale = 3,
        Height = 16,
        Width = 32,
        Seed = 7,
        MaxSequenceLength = 8,
    };

    public static TheoryData<GoldenCase> Runs => GoldenSampler.Cases;

    public static TheoryData<GoldenCase> Sizes =>
        GoldenSet.KeyCases("samplers", @"^(?<case>\d+x\d+)\.latents$");

    public static TheoryData<SamplerKind> Kinds => [.. Enum.GetValues<SamplerKind>()];

    [Theory]
    [MemberData(nameof(Runs))]
    [Trait("Category", "Parity")]
    public void Denoise_GoldenSampler_EqualsTheReferenceAtEveryStep(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var (model, sampler) = GoldenSampler.Read(golden);
        var pipeline = WithSchedule(PipelineFixture.Shared(golden), model);
        var expected = golden.Load("pipe.step_latents");
        var noise = golden.Has("pipe.noise") ? golden.Load("pipe.noise").to(TestDevice.Device) : null;
        var timesteps = golden.Load("pipe.timesteps").data<float>().ToArray();
        var request = Small with
        {
            NumInferenceSteps = sampler.Kind == SamplerKind.Heun ? (timesteps.Length + 1) / 2 : timesteps.Length,
            GuidanceScale = 4,
            Sampler = sampler,
            StepNoise = call => noise![call],
        };
        var seen = 0;
        var last = pipeline.Denoise(
            request, Input("latents"), Embeddings(string.Empty), Embeddings("negative_"),
            step =>
            {
                Assert.Equal(timesteps[seen], step.Timestep, 1e-4);
                if (seen < expected.shape[0])
                    GoldenAssert.Close(expected[seen], step.Latents, RunTolerance, $"latents after call {step.Step}");
                seen++;
            },
            CancellationToken.None);
        Assert.Equal((timesteps.Length, sampler.ModelCalls(request.NumInferenceSteps)), (seen, timesteps.Length));
        if (golden.Has("pipe.final_latents"))
            GoldenAssert.Close(golden.Load("pipe.final_latents"), last, RunTolerance, "final latents");
        Assert.True(last.isfinite().all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    [Trait("Category", "Parity")]
    public void Denoise_GoldenSize_ShiftsByIt(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        var pipeline = WithSchedule(PipelineFixture.Shared(golden), new() { Shift = 1 });
        var latents = golden.Load("latents").to(TestDevice.Device);
        var sampler = new SamplerConfig { Sigmas = SigmaSchedule.Dynamic };
        var patches = pipeline.Patches(latents);
        var meta = golden.Entry.Meta!.Value.GetProperty(golden.Key!);
        Assert.Equal(meta.GetProperty("image_seq_len").GetInt64(), patches);
        Assert.Equal(meta.GetProperty("mu").GetDouble(), SamplerConfig.MuOf(patches), 1e-12);
        var sigmas = golden.Load("sigmas").data<float>().ToArray();
        using (var run = sampler.Create(pipeline.SchedulerConfig, sigmas.Length - 1, patches))
            Assert.All(sigmas.Zip(run.Sigmas), pair => Assert.Equal(pair.First, pair.Second, 1e-7));
        var last = pipeline.Denoise(
            Small with { NumInferenceSteps = sigmas.Length - 1, GuidanceScale = 1, Sampler = sampler }, latents,
            Embeddings(string.Empty), null, null, CancellationToken.None);
        GoldenAssert.Close(golden.Load("final_latents"), last, RunTolerance, "final latents");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Denoise_AnySampler_GivesAPictureOfABatchAsAlone(SamplerKind kind)
    {
        using var scope = NewDisposeScope();
        var request = Small with { Sampler = new SamplerConfig { Kind = kind } };
        var alone = Pipeline.Denoise(request);
        GoldenAssert.Exact(alone, Pipeline.Denoise(request), "the same again");
        var steps = new List<(int Step, int Count)>();
        var batch = Pipeline.Denoise(request with { NumImagesPerPrompt = 2 }, step => steps.Add((step.Step, step.Count)));
        var calls = kind == SamplerKind.Heun ? 5 : 3;
        Assert.Equal([.. Enumerable.Range(1, calls).Select(step => (step, calls))], steps);
        // The noise is the same bit by bit; a wider batch may add up in another order.
        GoldenAssert.Close(alone, batch.narrow(0, 0, 1), 1e-5);
        Assert.True(alone.isfinite().all().item<bool>());
    }

    [Fact]
    public void Denoise_NoiseSeeds_DecideTheNoiseOfTheSteps()
    {
        using var scope = NewDisposeScope();
        var request = Small with { Sampler = new SamplerConfig { Kind = SamplerKind.Lcm } };
        var named = Pipeline.Denoise(request with { NoiseSeeds = [GenerationRequest.NoiseSeed(7, 0)] });
        GoldenAssert.Exact(Pipeline.Denoise(request), named);
        Assert.True(GoldenAssert.RelativeError(named, Pipeline.Denoise(request with { NoiseSeeds = [1] })) > 0.01);
        var error = Assert.Throws<LabException>(() => Pipeline.Denoise(request with { NoiseSeeds = [1, 2] }));
        Assert.Contains("there are 2 noise seeds for 1 pictures; give one each", error.Message, StringComparison.Ordinal);
    }

    private static StableDiffusion3Pipeline Pipeline => SharedPipeline.Value;

    private static Lazy<StableDiffusion3Pipeline> SharedPipeline { get; } = new(() => TinyPipeline.Load(withT5: false));

    // The same models, which stay the fixture's.
    private static StableDiffusion3Pipeline WithSchedule(
        StableDiffusion3Pipeline pipeline, FlowMatchEulerDiscreteSchedulerConfig schedule) =>
        StableDiffusion3Pipeline.Of(pipeline.Prompts, pipeline.Transformer, pipeline.Vae, schedule, pipeline.Options);

    private static Tensor Input(string name) => GoldenSet.Load("samplers", "inputs.safetensors", name).to(TestDevice.Device);

    private static PromptEmbeddings Embeddings(string prefix) =>
        new(Input($"{prefix}prompt_embeds"), Input($"{prefix}pooled_prompt_embeds"));
}
