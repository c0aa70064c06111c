using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Miniature.Proof;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

/// <summary>All parts one after another with the tiny recipe: what one leaves behind is what the next takes.</summary>
public sealed class PretrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string At(string name) => Path.Combine(_folder.Path, name);

    private PretrainingOptions Options(string name, long steps) => new()
    {
        Output = At(name),
        Device = CPU,
        MaxSteps = steps,
        Pictures = 24,
        Pool = At("pool"),
        RenderThreads = 2,
        ReportSeconds = 1e6,
        SheetMinutes = 1e6,
    };

    [Fact]
    public void Parts_OneAfterAnother_MakeAModelFolderThatThePipelineLoads()
    {
        var recipe = MiniatureRecipe.Tiny;
        var vae = VaeTraining.Run(recipe, Options("vae", 3));
        Assert.Equal(3, vae.Steps);
        Assert.InRange(vae.Psnr, 5, 20);
        DiffusionTraining.Run(recipe, Options("diffusion", 3), At("vae"));
        DiffusionTraining.Run(recipe, Options("diffusion", 2) with { Resume = At("diffusion"), From = 0.5 }, At("vae"));
        Assert.Contains("\"step\":5", File.ReadAllText(Path.Combine(At("diffusion"), "diffusion-curve.json")), StringComparison.Ordinal);
        ClassifierTraining.Run(recipe, Options("classifier", 2), At("vae"));
        MiniatureExport.Write(At("model"), recipe, At("vae"), At("diffusion"));
        ClassifierTraining.Export(recipe, At("classifier"), At("reader"));

        using (var pipeline = StableDiffusion3Pipeline.Load(At("model")))
        {
            Assert.Equal(recipe.PictureSize, pipeline.DefaultSize);
            Assert.Equal(vae.ScalingFactor, pipeline.Vae.Config.ScalingFactor);
            Assert.Equal(32, pipeline.Prompts.DefaultSequenceLength);
            var image = Assert.Single(pipeline.Generate(new GenerationRequest { Prompts = ["a photo of a cat"], NumInferenceSteps = 2 }));
            Assert.Equal((recipe.PictureSize, recipe.PictureSize), (image.Width, image.Height));
        }

        // Whoever has the model folder alone goes on from it, and keeps its autoencoder to the byte.
        DiffusionTraining.Run(recipe, Options("further", 1) with { Start = At("model") }, At("model"));
        foreach (var name in (string[])["config.json", "diffusion_pytorch_model.safetensors"])
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(At("model"), "vae", name)),
                File.ReadAllBytes(Path.Combine(At("further"), "export", "vae", name)));

        var clip = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(At("model"), "text_encoder", "config.json")))!;
        var (size, first) = ((int)clip["vocab_size"]!, (int)clip["bos_token_id"]!);
        Assert.Equal((size - 2, size - 1, size - 1), (first, (int)clip["eos_token_id"]!, (int)clip["pad_token_id"]!));

        var report = MiniatureProof.Run(
            new ProofOptions
            {
                Model = At("model"),
                Classifier = At("reader"),
                Combinations = 4,
                Steps = 1,
                GuidanceSweep = [],
                VaePictures = 4,
            }, At("proof"));
        Assert.Equal(vae.Psnr, report.Psnr, 2.0);
        Assert.Contains("\"asked\"", File.ReadAllText(Path.Combine(At("proof"), "misread.json")), StringComparison.Ordinal);
        Assert.NotEmpty(report.Shortfalls());

        var weights = Path.Combine(At("model"), "vae", "diffusion_pytorch_model.safetensors");
        var bytes = File.ReadAllBytes(weights);
        bytes[^5] ^= 1;
        File.WriteAllBytes(weights, bytes);
        Assert.Throws<LabException>(() => MiniatureFolder.Verify(At("model")));
    }

    [Fact]
    public void Vae_MoreSteps_ReconstructsBetter()
    {
        var recipe =
            MiniatureRecipe.Tiny with
            {
                VaeTraining =
                MiniatureRecipe.Tiny.VaeTraining with { WarmupSteps = 5, LearningRate = 4e-3, EmaDecay = 0.9 }
            };
        var before = VaeTraining.Run(recipe, Options("a", 1));
        var after = VaeTraining.Run(recipe, Options("b", 120));
        Assert.True(after.Psnr > before.Psnr + 2, $"{before.Psnr} dB after 1 step, {after.Psnr} dB after 120");
    }

    [Fact]
    public void Vae_DecoderOnly_KeepsEncoderShiftAndScale()
    {
        var recipe = MiniatureRecipe.Tiny;
        var first = VaeTraining.Run(recipe, Options("first", 4));
        var second = VaeTraining.Run(recipe, Options("second", 4) with { Resume = At("first"), DecoderOnly = true });
        Assert.Equal((first.ShiftFactor, first.ScalingFactor), (second.ShiftFactor, second.ScalingFactor));
        using var scope = NewDisposeScope();
        using MiniatureModels a = new(recipe), b = new(recipe);
        using TrainedVae before = TrainedVae.Load(a, At("first"), CPU), after = TrainedVae.Load(b, At("second"), CPU);
        var picture = Lab.Tensors.SeededNoise.Normal([1, 3, 64, 64], 1).sigmoid();
        Assert.True(before.Model.Encode(picture).Mean.allclose(after.Model.Encode(picture).Mean, atol: 1e-5));
        Assert.False(before.Model.Decode(zeros(1, 32, 8, 8)).allclose(after.Model.Decode(zeros(1, 32, 8, 8)), atol: 1e-5));
        Assert.Throws<LabException>(() => VaeTraining.Run(recipe, Options("third", 1) with { DecoderOnly = true }));
    }

    [Fact]
    public void Begin_DeeperAutoencoder_ComputesWhatTheShallowOneDoes()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var shallow = MiniatureRecipe.Tiny with { Vae = MiniatureRecipe.Tiny.Vae with { LayersPerBlock = 1 } };
        var picture = Lab.Tensors.SeededNoise.Normal([1, 3, 64, 64], 1).tanh();
        using var first = new MiniatureModels(shallow);
        Lab.Tensors.SafetensorsWriter.Save(
            Path.Combine(At("small"), "vae", "diffusion_pytorch_model.safetensors"), first.Vae.named_parameters().Select(entry =>
                KeyValuePair.Create(entry.name, (Tensor)entry.parameter)));
        using var second = new MiniatureModels(shallow with { InitSeed = 5, Vae = shallow.Vae with { LayersPerBlock = 2 } });
        using var deep = new FlatParameters([("vae", second.Vae)], CPU, ScalarType.Float32);
        deep.Begin(At("small"));
        Assert.True(first.Vae.Encode(picture).Mean.allclose(second.Vae.Encode(picture).Mean, atol: 1e-5));
        var latents = Lab.Tensors.SeededNoise.Normal([1, 32, 8, 8], 2);
        Assert.True(first.Vae.Decode(latents).allclose(second.Vae.Decode(latents), atol: 1e-5));
        using var other = new FlatParameters([("vae", second.Vae), ("text_encoder", second.Clip)], CPU, ScalarType.Float32);
        Assert.Throws<LabException>(() => other.Begin(At("small")));
        Assert.Contains("lacks", Assert.Throws<LabException>(() => deep.Begin(At("small"), whole: true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Begin_DeeperTransformer_PredictsWhatTheShallowOneDoes()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var recipe = MiniatureRecipe.Tiny;
        using var first = new MiniatureModels(recipe);
        using var shallow = new FlatParameters([("transformer", first.Transformer)], CPU, ScalarType.Float32, MiniatureModels.IsFixed);
        shallow.Values.add_(Lab.Tensors.SeededNoise.Normal([shallow.Length], 4) * 0.05); // modulations are zero at first
        Lab.Tensors.SafetensorsWriter.Save(Path.Combine(At("small"), "transformer", "diffusion_pytorch_model.safetensors"),
            shallow.Of(shallow.Values, "transformer"));
        using var second = new MiniatureModels(recipe with { InitSeed = 5, Transformer = recipe.Transformer with { NumLayers = 5 } });
        using var deep = new FlatParameters([("transformer", second.Transformer)], CPU, ScalarType.Float32, MiniatureModels.IsFixed);
        deep.Begin(At("small"));
        Tensor Flow(MiniatureModels models) => models.Transformer.forward(
            Lab.Tensors.SeededNoise.Normal([1, 32, 8, 8], 1), full([1], 300, ScalarType.Float32), Lab.Tensors.SeededNoise.Normal([1, 6,
                40], 2), Lab.Tensors.SeededNoise.Normal([1, 32], 3));
        var expected = Flow(first);
        Assert.True(expected.abs().max().item<float>() > 0.01);
        Assert.True(expected.allclose(Flow(second), atol: 1e-4));
    }
}
