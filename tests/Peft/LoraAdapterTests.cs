using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tokenizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraAdapterTests : IDisposable
{
    // A float32 sum of a few dozen products, taken in another order: some units in the last place.
    private const double Rounding = 1e-5;

    private readonly StableDiffusion3Pipeline _pipeline = TinyPipeline.Load(withT5: false);
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _pipeline.Dispose();
    }

    [Fact]
    public void Create_NewAdapter_ChangesNothing()
    {
        var (before, textBefore) = (Transformer(), Text());
        using var adapter = Create();
        GoldenAssert.Exact(before, Transformer());
        GoldenAssert.Exact(textBefore.PromptEmbeds, Text().PromptEmbeds);
        GoldenAssert.Exact(textBefore.PooledPromptEmbeds, Text().PooledPromptEmbeds);
        Fill(adapter, 1);
        Assert.True(GoldenAssert.RelativeError(before, Transformer()) > 1e-2);
        Assert.True(GoldenAssert.RelativeError(textBefore.PromptEmbeds, Text().PromptEmbeds) > 1e-3);
    }

    [Fact]
    public void Create_Seed_DecidesTheDrawWhoseDeviationIsOneByRank()
    {
        using var first = Create(rank: 8, seed: 5);
        var a = Drawn(first);
        var values = cat([.. first.Layers.Select(layer => layer.Weights.A.detach().flatten())]);
        Assert.InRange(values.std().item<float>(), 0.12f, 0.13f);
        Assert.InRange(values.mean().item<float>(), -0.002f, 0.002f);
        Assert.All(first.Layers, layer => Assert.Equal(0f, layer.Weights.B.detach().abs().max().item<float>()));
        using var again = Create("again", rank: 8, seed: 5);
        using var other = Create("other", rank: 8, seed: 6);
        Assert.Equal(a, Drawn(again));
        Assert.NotEqual(a, Drawn(other));
    }

    [Fact]
    public void Segments_SeveralModels_LieOneAfterTheOther()
    {
        using var adapter = Create();
        Assert.Equal(["transformer", "text_encoder", "text_encoder_2"], adapter.Segments.Select(segment => segment.Component));
        long offset = 0;
        foreach (var segment in adapter.Segments)
        {
            Assert.Equal(offset, segment.Offset);
            var layers = adapter.Layers.Where(layer => layer.Component == segment.Component).ToList();
            Assert.Equal(segment.Length, layers.Sum(layer => layer.Weights.A.numel() + layer.Weights.B.numel()));
            Assert.Equal(adapter.Parameters.narrow(0, segment.Offset, segment.Length).data<float>().ToArray(), layers.SelectMany(Flat));
            offset += segment.Length;
        }

        Assert.Equal(adapter.Parameters.numel(), offset);
        static IEnumerable<float> Flat(LoraLayer layer) =>
            [.. layer.Weights.A.detach().data<float>().ToArray(), .. layer.Weights.B.detach().data<float>().ToArray()];
    }

    [Fact]
    public void Gradients_Backward_AddsIntoTheFlatBuffer()
    {
        using var adapter = Create(rank: 2);
        Fill(adapter, 1);
        Transformer(grad: true).square().sum().backward();
        var once = adapter.Gradients!.clone();
        Assert.True(once.abs().sum().item<float>() > 0);
        var text = adapter.Segments[1];
        Assert.Equal(0f, once.narrow(0, text.Offset, text.Length).abs().sum().item<float>());
        Transformer(grad: true).square().sum().backward();
        GoldenAssert.Close(once * 2, adapter.Gradients!, 1e-6, "two backward passes");
        using (no_grad())
            adapter.Gradients!.zero_();
        Assert.All(adapter.Layers, layer => Assert.Equal(0f, layer.Weights.A.grad!.abs().sum().item<float>()));
    }

    [Fact]
    public void Parameters_ChangedInPlace_ChangeTheLayers()
    {
        using var adapter = Create();
        using (no_grad())
            adapter.Parameters.fill_(0.25f);
        Assert.All(adapter.Layers, layer => Assert.Equal(0.25f, layer.Weights.B.detach().min().item<float>()));
    }

    [Fact]
    public void Fuse_TrainedAdapter_EqualsItAndUnfuseRestores()
    {
        var before = Transformer();
        var weights = _pipeline.Transformer.TransformerBlocks[0].Attn.ToQ.Weight.detach().clone();
        using var adapter = Create(rank: 2, alpha: 3);
        Fill(adapter, 1);
        adapter.Weight = 0.5;
        var adapted = Transformer();
        adapter.Fuse();
        Assert.True(adapter.IsFused);
        GoldenAssert.Close(adapted, Transformer(), Rounding, "fused");
        Assert.Throws<InvalidOperationException>(() => adapter.Weight = 1);
        adapter.Unfuse();
        GoldenAssert.Close(adapted, Transformer(), Rounding, "unfused");
        adapter.Weight = 0;
        GoldenAssert.Close(before, Transformer(), Rounding, "off");
        GoldenAssert.Close(weights, _pipeline.Transformer.TransformerBlocks[0].Attn.ToQ.Weight, 1e-6, "weight");
    }

    [Fact]
    public void Dispose_FusedAdapter_LeavesTheModelAsItWas()
    {
        var before = Transformer();
        var adapter = Create();
        Fill(adapter, 2);
        adapter.Fuse();
        adapter.Dispose();
        adapter.Dispose();
        GoldenAssert.Close(before, Transformer(), Rounding);
        Assert.Empty(_pipeline.Transformer.TransformerBlocks[0].Attn.ToQ.Adapters);
    }

    [Fact]
    public void Weight_SeveralAdapters_AddUp()
    {
        var linear = _pipeline.Transformer.TransformerBlocks[1].Attn.ToK;
        var input = Lab.Tensors.SeededNoise.Normal([3, linear.InFeatures], 4);
        using var noGradients = no_grad();
        var plain = linear.call(input);
        using var first = Create("first", rank: 2, alpha: 4);
        using var second = Create("second", rank: 3);
        Fill(first, 1);
        Fill(second, 2);
        (first.Weight, second.Weight) = (0.5, -2);
        var expected = plain + (0.5 * 2 * Update(first)) + (-2 * Update(second));
        GoldenAssert.Close(expected, linear.call(input), Rounding);
        second.Fuse();
        GoldenAssert.Close(expected, linear.call(input), Rounding, "one of them fused");

        Tensor Update(LoraAdapter adapter)
        {
            var weights = adapter.Layers.Single(layer => ReferenceEquals(layer.Linear, linear)).Weights;
            return input.matmul(weights.A.t()).matmul(weights.B.t());
        }
    }

    [Fact]
    public void Create_NameThatIsTaken_IsRefusedAndNothingIsAttached()
    {
        using var first = Create("same", ["attn.to_v"]);
        var error = Assert.Throws<LabException>(() => Create("same", ["attn.to_q", "attn.to_v"]));
        Assert.Contains("already carries an adapter named 'same'", error.Message, StringComparison.Ordinal);
        Assert.Empty(_pipeline.Transformer.TransformerBlocks[0].Attn.ToQ.Adapters);
    }

    [Fact]
    public void Create_UnknownTarget_NamesWhatThereIs()
    {
        var error = Assert.Throws<LabException>(() => Create(targets: ["attn.to_q", "attn.to_z"]));
        Assert.Contains("matches the LoRA target attn.to_z", error.Message, StringComparison.Ordinal);
        Assert.Contains("attn.to_out.0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_ChosenBlocks_AdaptsTheseAlone()
    {
        using var adapter = Create(config: new LoraConfig { TargetModules = LoraConfig.TransformerTargets, Blocks = [1, 3] });
        var paths = adapter.Layers.Where(layer => layer.Component == "transformer").Select(layer => layer.Path).ToList();
        Assert.Equal([("1", 8), ("3", 7)], paths.GroupBy(path => path.Split('.')[1]).Select(group => (group.Key, group.Count())));
        Assert.DoesNotContain("transformer_blocks.3.attn.to_add_out", paths);
    }

    [Fact]
    public void Create_BlockThatIsNotThere_SaysHowManyThereAre()
    {
        var error = Assert.Throws<LabException>(
            () => Create(config: new LoraConfig { TargetModules = LoraConfig.TransformerTargets, Blocks = [0, 4] }));
        Assert.Contains("Block 4 of transformer has none", error.Message, StringComparison.Ordinal);
        Assert.Contains("blocks count from 0 to 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ComputeIn_Bfloat16_GivesTheOutputsAndGradientsOfConvertingEachMatrix()
    {
        using var half = StableDiffusion3Pipeline.Load(
            TinyPipeline.Folder, new PipelineOptions
            {
                TokenizersFolder = TinyTokenizers.Root,
                WithT5 = false,
                Dtype = ScalarType.BFloat16,
            });
        using var adapter = LoraAdapter.Create(
            "a", [(half.LoraComponents[0], new LoraConfig { TargetModules = LoraConfig.TransformerTargets })], 0, CPU, ScalarType.Float32);
        Fill(adapter, 1);
        var (output, gradients) = Pass();
        adapter.ComputeIn(ScalarType.BFloat16);
        var (sameOutput, sameGradients) = Pass();
        GoldenAssert.Exact(output, sameOutput, "output");
        GoldenAssert.Exact(gradients, sameGradients, "gradients");
        Assert.True(gradients.abs().max().item<float>() > 0);

        Fill(adapter, 2);
        GoldenAssert.Exact(output, Pass().Output, "output before the copy is refreshed");
        adapter.RefreshComputeCopy();
        Assert.True(GoldenAssert.RelativeError(output, Pass().Output) > 1e-2);

        (Tensor Output, Tensor Gradients) Pass()
        {
            using (no_grad())
                adapter.Gradients!.zero_();
            var result = Transformer(grad: true, half);
            result.to(ScalarType.Float32).square().mean().backward();
            adapter.CollectGradients();
            return (result.detach(), adapter.Gradients!.clone());
        }
    }

    [Fact]
    public void ComputeIn_RanksAboveAndBelowEight_PutsEachMatrixAndItsGradientsInPlace()
    {
        using var scope = NewDisposeScope();
        var transformer = _pipeline.LoraComponents[0];
        LoraConfig Config(int rank, string target) => new() { Rank = rank, TargetModules = [target] };
        using var adapter = LoraAdapter.Create(
            "a", [(transformer, Config(3, "attn.to_q")), (transformer, Config(12, "attn.to_k"))], 0, CPU, ScalarType.Float32);
        Fill(adapter, 1);
        adapter.ComputeIn(ScalarType.BFloat16);
        Assert.Equal([3, 12], adapter.Layers.Select(layer => layer.Rank).Distinct().Order());
        foreach (var (layer, (a, b)) in adapter.Layers.Select(layer => (layer, layer.Weights.Copy!.Value)))
        {
            using var noGradients = no_grad();
            Assert.Equal(Math.Max(layer.Rank, 8), a.shape[0]);
            GoldenAssert.Exact(layer.Weights.A.to(ScalarType.BFloat16), a.narrow(0, 0, layer.Rank), layer.Key);
            GoldenAssert.Exact(layer.Weights.B.to(ScalarType.BFloat16), b.narrow(1, 0, layer.Rank), layer.Key);
            a.grad!.copy_(a.mul(2));
            b.grad!.copy_(b.mul(4));
        }

        adapter.CollectGradients();
        foreach (var (layer, (a, b)) in adapter.Layers.Select(layer => (layer, layer.Weights.Copy!.Value)))
        {
            GoldenAssert.Exact(a.detach().narrow(0, 0, layer.Rank).to(ScalarType.Float32) * 2, layer.Weights.A.grad!, layer.Key);
            GoldenAssert.Exact(b.detach().narrow(1, 0, layer.Rank).to(ScalarType.Float32) * 4, layer.Weights.B.grad!, layer.Key);
            Assert.Equal(0, a.grad!.abs().max().to(ScalarType.Float32).item<float>());
        }
    }

    [Fact]
    public void ClearGradients_PassThatFailedHalfWay_LeavesNothingForTheNext()
    {
        using var half = StableDiffusion3Pipeline.Load(
            TinyPipeline.Folder, new PipelineOptions
            {
                TokenizersFolder = TinyTokenizers.Root,
                WithT5 = false,
                Dtype = ScalarType.BFloat16,
            });
        using var adapter = LoraAdapter.Create(
            "a", [(half.LoraComponents[0], new LoraConfig { TargetModules = LoraConfig.TransformerTargets })], 0, CPU, ScalarType.Float32);
        Fill(adapter, 1);
        adapter.ComputeIn(ScalarType.BFloat16);
        // Its gradients have reached the copy and were not collected.
        Transformer(grad: true, half).to(ScalarType.Float32).square().mean().backward();
        adapter.ClearGradients();
        adapter.CollectGradients();
        Assert.Equal(0, adapter.Gradients!.abs().max().item<float>());
    }

    private static float[] Drawn(LoraAdapter adapter) =>
        [.. adapter.Layers.SelectMany(layer => layer.Weights.A.detach().data<float>().ToArray())];

    private static void Fill(LoraAdapter adapter, ulong seed)
    {
        using var noGradients = no_grad();
        using var generator = new Generator(seed, CPU);
        adapter.Parameters.copy_(randn(adapter.Parameters.shape, generator: generator) * 0.3);
    }

    private LoraAdapter Create(
        string name = "a", IReadOnlyList<string>? targets = null, int rank = 4, double? alpha = null, ulong seed = 0,
        LoraConfig? config = null)
    {
        config ??= new LoraConfig { Rank = rank, LoraAlpha = alpha, TargetModules = targets ?? LoraConfig.TransformerTargets };
        var text = new LoraConfig { Rank = rank, LoraAlpha = alpha, TargetModules = LoraConfig.TextEncoderTargets };
        return LoraAdapter.Create(
            name, _pipeline.LoraComponents.Select(component => (component, component.Prefix == "transformer" ? config : text)), seed, CPU,
            ScalarType.Float32);
    }

    private Tensor Transformer(bool grad = false, StableDiffusion3Pipeline? pipeline = null)
    {
        pipeline ??= _pipeline;
        using var gradients = set_grad_enabled(grad);
        using var generator = new Generator(3, CPU);
        Tensor Draw(params long[] shape) => randn(shape, generator: generator).to(pipeline.Options.Dtype);
        return pipeline.Transformer.forward(Draw(2, 16, 4, 6), tensor(new[] { 700f, 300f }), Draw(2, 5, 28), Draw(2, 24));
    }

    private PromptEmbeddings Text()
    {
        using var noGradients = no_grad();
        return _pipeline.Prompts.Encode(["a photo of a cat"], 4);
    }

    [Theory]
    [InlineData(1e308, "The LoRA alpha is 1E+308; divided by the rank (4)")]
    [InlineData(1e-300, "The LoRA alpha is 1E-300; divided by the rank (4)")]
    [InlineData(double.PositiveInfinity, "The LoRA alpha is Infinity; divided by the rank (4)")]
    public void Validate_AlphaBeyondFloat32_IsRefused(double alpha, string message) => Assert.StartsWith(
        message,
        Assert.Throws<LabException>(new LoraConfig { Rank = 4, LoraAlpha = alpha, TargetModules = ["to_q"] }.Validate).Message,
        StringComparison.Ordinal);
}
