using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Native.Cuda;
using Dreambooth.Lab.Tests.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

public sealed class StableDiffusion3PipelineBehaviourTests(StableDiffusion3PipelineBehaviourTests.Shared shared)
    : IClassFixture<StableDiffusion3PipelineBehaviourTests.Shared>, IDisposable
{
    private static readonly GenerationRequest Small = new()
    {
        Prompts = ["a photo of a cat"],
        NumInferenceSteps = 2,
        Height = 16,
        Width = 32,
        Seed = 7,
        MaxSequenceLength = 8,
    };

    private readonly DisposeScope _scope = NewDisposeScope();
    private bool _stopped;

    private StableDiffusion3Pipeline Pipeline { get; } = shared.Pipeline;

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Generate_Seed_DecidesThePicture()
    {
        var first = Pipeline.Generate(Small)[0];
        Assert.Equal((32, 16), (first.Width, first.Height));
        Assert.Equal(first.Pixels, Pipeline.Generate(Small)[0].Pixels);
        Assert.NotEqual(first.Pixels, Pipeline.Generate(Small with { Seed = 8 })[0].Pixels);
        Assert.NotEqual(first.Pixels, Pipeline.Generate(Small with { Prompts = ["another text"] })[0].Pixels);
    }

    [Fact]
    public void Generate_NoSize_IsTheModelsOwn()
    {
        var image = Pipeline.Generate(Small with { Width = null, Height = null, NumInferenceSteps = 1, GuidanceScale = 1 })[0];
        Assert.Equal((64, 64), (image.Width, image.Height));
    }

    [Fact]
    public void Denoise_FirstPictureOfABatch_IsTheOneMadeAlone()
    {
        var alone = Pipeline.Denoise(Small);
        var batch = Pipeline.Denoise(Small with { NumImagesPerPrompt = 3 });
        Assert.Equal(3, batch.shape[0]);
        // The noise is the same bit by bit; a wider batch may add up in another order.
        GoldenAssert.Close(alone, batch.narrow(0, 0, 1), 1e-5);
        Assert.True(GoldenAssert.RelativeError(batch[0], batch[1]) > 0.1);
    }

    [Fact]
    public void Denoise_SeveralPrompts_HaveOneRowEachInOrder()
    {
        var both = Pipeline.Denoise(
            Small with { Prompts = ["a cat", "the moon"], NumImagesPerPrompt = 2, NegativePrompts = ["blurry", "dark"] });
        Assert.Equal([4, 16, 2, 4], both.shape);
        var second = Pipeline.Denoise(
            Small with { Prompts = ["the moon"], NegativePrompts = ["dark"], Latents = Initial().narrow(0, 2, 1) });
        GoldenAssert.Close(second, both.narrow(0, 2, 1), 1e-5);

        static Tensor Initial() => Dreambooth.Lab.Tensors.SeededNoise.Normal([4, 16, 2, 4], Small.Seed);
    }

    [Theory]
    [InlineData(4.5)]
    [InlineData(1)]
    public void Denoise_Recorded_GivesTheSameLatentsWithoutARecordingLeft(double guidance)
    {
        var request = Small with
        {
            NumInferenceSteps = GuidedDenoiser.FewestRecordedSteps,
            GuidanceScale = guidance,
            SkipGuidanceLayers = guidance > 1 ? [1] : null,
        };
        var plain = Pipeline.Denoise(request);
        var recorder = new StandInRecorder();
        GoldenAssert.Exact(plain, Recorded(request, recorder));
        // One launch compares, the others are the steps after the plain ones.
        Assert.Equal(
            (1, 1 + request.NumInferenceSteps - GuidedDenoiser.PlainPredictions, 0),
            (recorder.Recorded, recorder.Launched, recorder.Alive));
    }

    [Fact]
    public void Denoise_FewSteps_AreNotRecorded()
    {
        var recorder = new StandInRecorder();
        Recorded(Small with { NumInferenceSteps = GuidedDenoiser.FewestRecordedSteps - 1 }, recorder);
        Assert.Equal(0, recorder.Recorded);
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("wrong")]
    public void Denoise_RecordingThatFailsOrComputesSomethingElse_FallsBackOnceAndSaysSo(string how)
    {
        var request = Small with { NumInferenceSteps = GuidedDenoiser.FewestRecordedSteps };
        var plain = Pipeline.Denoise(request);
        var recorder = new StandInRecorder { Refuses = how == "refused", Forgets = how == "wrong" };
        List<string> warnings = [];
        GoldenAssert.Exact(plain, Recorded(request, recorder, warnings.Add));
        Assert.Equal((1, 0, true), (recorder.Recorded, recorder.Alive, _stopped));
        Assert.Contains("Each operation is launched by itself.", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Denoise_WhileAttentionIsRecorded_IsNotReplayed()
    {
        var recorder = new StandInRecorder();
        using var attention = new AttentionRecorder(Pipeline.Transformer, [0], [[0]]);
        Recorded(Small with { NumInferenceSteps = GuidedDenoiser.FewestRecordedSteps }, recorder);
        Assert.Equal((0, 1), (recorder.Recorded, attention.Maps.Count));
    }

    private Tensor Recorded(GenerationRequest request, StandInRecorder recorder, Action<string>? warn = null)
    {
        (Pipeline.Recorder, Pipeline.Prompts.Warn) = (recorder.Record, warn);
        try
        {
            return Pipeline.Denoise(request);
        }
        finally
        {
            _stopped = Pipeline.Recorder is null;
            (Pipeline.Recorder, Pipeline.Prompts.Warn) = (null, null);
        }
    }

    [Fact]
    public void Denoise_Cancelled_EndsBetweenTwoSteps()
    {
        using var source = new CancellationTokenSource();
        var steps = 0;
        Assert.Throws<OperationCanceledException>(
            () => Pipeline.Denoise(Small with { NumInferenceSteps = 9 }, _ => { steps++; source.Cancel(); }, source.Token));
        Assert.Equal(1, steps);
    }

    [Fact]
    public void Denoise_Steps_SayWhereTheyAre()
    {
        var steps = new List<(int, int, double)>();
        Pipeline.Denoise(Small, step => steps.Add((step.Step, step.Count, step.Sigma)));
        Assert.Equal([(1, 2), (2, 2)], steps.Select(step => (step.Item1, step.Item2)));
        Assert.True(steps[0].Item3 > 0);
        Assert.Equal(0, steps[1].Item3);
    }

    [Fact]
    public void Generate_InvalidRequests_SayWhatIsValid()
    {
        Refused(
            "Pictures of 32×24 pixels cannot be made; width and height must be multiples of 16, at most 208", Small with { Height = 24 });
        Refused("at most 208", Small with { Width = 224 });
        Refused("skip_guidance_layers is 1, 4; this transformer's blocks are 0 to 3", Small with { SkipGuidanceLayers = [1, 4] });
        Refused("clip_skip is 3; this CLIP encoder has 3 layers, so valid values are 0 to 2", Small with { ClipSkip = 3 });
        Refused("clip_skip is -1", Small with { ClipSkip = -1 });
        Refused("max_sequence_length is 0; 1 to 512 is valid", Small with { MaxSequenceLength = 0 });
        Refused("goes from -1 to 0.2; both are parts of the steps", Small with { SkipLayerGuidanceStart = -1 });
        Refused("there are no prompts", Small with { Prompts = [] });
        Refused(
            "num_inference_steps is 0; 1 to 1000 is valid; num_images_per_prompt is 0", Small with
            {
                NumInferenceSteps = 0,
                NumImagesPerPrompt = 0,
            });
        Refused("guidance_scale is NaN", Small with { GuidanceScale = double.NaN });
        Refused("there are 3 negative prompts for 1 prompts", Small with { NegativePrompts = ["a", "b", "c"] });
        Refused("there are 2 prompts of the second encoder for 1 prompts", Small with { Prompts2 = ["a", "b"] });
        Refused("The given latents have shape [1, 16, 4, 4]; [1, 16, 2, 4] is needed", Small with { Latents = zeros(1, 16, 4, 4) });

        void Refused(string message, GenerationRequest request) =>
            Assert.Contains(message, Assert.Throws<LabException>(() => Pipeline.Generate(request)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_WithGuidanceAndSkippedLayers_LeavesNoTensors() =>
        Assert.Equal(
            0, LiveTensors.LeftBy(
                () => Pipeline.Generate(
                    Small with
                    {
                        SkipGuidanceLayers = [1],
                        SkipLayerGuidanceStart = 0,
                        SkipLayerGuidanceStop = 1,
                        NegativePrompts = ["blurry"],
                    })));

    [Fact]
    public void Forward_OfTheTransformer_LeavesItsOutputAlone()
    {
        Tensor latents = randn(1, 16, 4, 4), time = tensor(new[] { 500f }), text = randn(1, 3, 28), pooled = randn(1, 24);
        Assert.Equal(1, LiveTensors.LeftBy(() => Pipeline.Transformer.forward(latents, time, text, pooled).DetachFromDisposeScope()));
    }

    [Fact]
    public void Forward_OneRowOfTextForSeveralLatents_EqualsTheRowRepeated()
    {
        using var noGradients = no_grad();
        Tensor latents = SeededNoise.Normal([2, 16, 4, 4], 1), time = tensor(
            new[] { 500f, 20f }), text = SeededNoise.Normal([1, 3, 28], 2), pooled = SeededNoise.Normal([1, 24], 3);
        var repeated = Pipeline.Transformer.forward(latents, time, text.repeat(2, 1, 1), pooled.repeat(2, 1));
        GoldenAssert.Close(repeated, Pipeline.Transformer.forward(latents, time, text, pooled), 1e-6);
    }

    [Fact]
    public void EncodeAndDecode_OfTheAutoencoder_LeaveTheirOutputsAlone()
    {
        using var noGradients = no_grad();
        Tensor pixels = randn(2, 3, 32, 32), latents = randn(2, 16, 4, 4);
        Assert.Equal(2, LiveTensors.LeftBy(() => Pipeline.Vae.Encode(pixels)));
        Assert.Equal(1, LiveTensors.LeftBy(() => Pipeline.Vae.Decode(latents)));
        Assert.Equal(1, LiveTensors.LeftBy(() => Pipeline.Vae.ScaleLatents(latents)));
        Assert.Equal(1, LiveTensors.LeftBy(() => Pipeline.Decode(latents)));
    }

    [Fact]
    public void Encode_OfPrompts_LeavesItsOutputsAlone()
    {
        using var noGradients = no_grad();
        Assert.Equal(2, LiveTensors.LeftBy(() => Pipeline.Prompts.Encode(["a cat", "the moon"], 8)));
        Assert.Equal(1, LiveTensors.LeftBy(() => Pipeline.Prompts.EncodeT5(["a cat"], 8)));
    }

    [Fact]
    public void LoadAndDispose_WholePipeline_LeavesNoTensors() => Assert.Equal(0, LiveTensors.LeftBy(() => TinyPipeline.Load().Dispose()));

    [Fact]
    public void Encode_TextLongerThanTheWindow_WarnsOnce()
    {
        var warnings = new List<string>();
        Pipeline.Prompts.Warn = warnings.Add;
        Pipeline.Prompts.Encode(["a photo of a cat in the garden"], 4);
        Pipeline.Prompts.Encode(["a photo of a cat in the garden"], 4);
        Pipeline.Prompts.Warn = null;
        Assert.Contains("the T5 encoder reads the first 4", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_TextThatTwoEncodersCut_WarnsOnceOfBoth()
    {
        var text = string.Join(' ', Enumerable.Repeat("cat", 100));
        var warnings = new List<string>();
        Pipeline.Prompts.Warn = warnings.Add;
        Pipeline.Prompts.Encode([text], 4).Dispose();
        Assert.Contains(
            $"the CLIP encoder reads the first {Pipeline.Prompts.ClipWindow} of its 102 tokens, the T5 encoder reads the first 4 of its ",
            Assert.Single(warnings), StringComparison.Ordinal);
        Assert.StartsWith(
            "1 of 2 texts are cut: CLIP reads ", Pipeline.Prompts.TellWindows([text + " told", "a cat"], 16), StringComparison.Ordinal);
        Pipeline.Prompts.Encode([text + " told"], 16).Dispose();
        Pipeline.Prompts.Warn = null;
        Assert.Single(warnings);
    }

    [Fact]
    public void GenerateEach_LeftAfterThePictureThatIsAskedFor_GivesThoseOfTheWhole()
    {
        var request = new GenerationRequest { Prompts = ["a cat"], NumImagesPerPrompt = 3, NumInferenceSteps = 1, Height = 32, Width = 32 };
        var whole = Pipeline.Generate(request);
        var steps = 0;
        var first = Pipeline.GenerateEach(request, _ => steps++).First();
        Assert.Equal((1, 3), (steps, whole.Count));
        Assert.Equal(whole[0].Pixels, first.Pixels);
        Assert.Equal(0, LiveTensors.LeftBy(() => Assert.Equal(2, Pipeline.GenerateEach(request).Take(2).Count())));
    }

    public sealed class Shared : IDisposable
    {
        public StableDiffusion3Pipeline Pipeline { get; } = TinyPipeline.Load();

        public void Dispose() => Pipeline.Dispose();
    }
}
