using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

/// <summary>
/// Adapters that the reference wrote, from the second golden set: <c>LAB_GOLDEN_2</c>, else <c>../shared/golden_2</c> beside the
/// repository.
/// </summary>
[Trait("Category", "Parity")]
public sealed class LoraVariantTests
{
    private const double Tolerance = 2e-5;

    internal static string Variants { get; } = Path.Combine(GoldenSet.Second.Path, "lora_variants");

    public static TheoryData<string, string> Adapters => new()
    {
        { "alpha16_r4", "tiny-sd35m" }, { "rslora_r4_a8", "tiny-sd35m" }, { "patterns", "tiny-sd35m" }, { "attn2_r4", "tiny-sd35m" },
        { "all_linear_r2", "tiny-sd35m" }, { "dropout_r4", "tiny-sd35m" }, { "dora_r4_a8", "tiny-sd35m" },
        { "dora_rslora_attn2_r2", "tiny-sd35m" }, { "loha_r3_a6", "tiny-sd35m" }, { "lokr_r3_a6", "tiny-sd35m" },
        { "lokr_both_factor4", "tiny-sd35m" }, { "plain_sd3m_r3_a6", "tiny-sd3m" }, { "dora_sd3m_r3", "tiny-sd3m" },
    };

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Load_ReferenceAdapter_GivesItsOutputs(string name, string model)
    {
        using var pipeline = Load(model);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var inputs = SafetensorsFile.Open(Path.Combine(Variants, $"inputs.{model}.safetensors"));
        using var expected = SafetensorsFile.Open(Path.Combine(Variants, $"{name}.safetensors"));
        var report = pipeline.LoadLora(Path.Combine(Variants, name));
        Assert.Equal((report.FileTensors, 0), (report.MatchedTensors, report.Warnings.Count));
        foreach (var (key, weight) in new[] { ("output", 1.0), ("output.scale0.5", 0.5) })
        {
            pipeline.Adapters[0].Weight = weight;
            var output = Forward(pipeline, inputs);
            if (expected.Tensors.ContainsKey(key))
                GoldenAssert.Close(expected.Load(key), output, Tolerance, $"{name}: {key}");
        }
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Train_ReferenceAdapter_GivesItsGradientsAndFiveSteps(string name, string model)
    {
        using var pipeline = Load(model);
        using var scope = NewDisposeScope();
        using var inputs = SafetensorsFile.Open(Path.Combine(Variants, $"inputs.{model}.safetensors"));
        using var expected = SafetensorsFile.Open(Path.Combine(Variants, $"{name}.safetensors"));
        using var adapter = LoraFile.Load(
            Path.Combine(Variants, name), "trained", pipeline.LoraComponents, CPU, ScalarType.Float32, trainable: true).Adapter;
        using var masks = name.StartsWith("dropout", StringComparison.Ordinal) ? new GivenMasks(expected, adapter) : null;
        var tensors = adapter.Layers.SelectMany(layer => layer.Named).ToDictionary(
            entry => entry.Name["transformer.".Length..], entry => entry.Value);
        var start = tensors.ToDictionary(entry => entry.Key, entry => entry.Value.detach().clone());

        GoldenAssert.Close(expected.Load("loss"), Loss(0).reshape(1), 1e-5);
        Assert.Equal(expected.Tensors.Keys.Count(key => key.StartsWith("grad.", StringComparison.Ordinal)), tensors.Count);
        var largest = tensors.Keys.Max(key => expected.Load($"grad.{key}").abs().max().item<float>());
        foreach (var (key, tensor) in tensors)
        {
            var difference = (expected.Load($"grad.{key}") - tensor.grad!).abs().max().item<float>();
            Assert.True(difference <= 1e-5 * largest, $"{key}: the gradient differs by {difference}, the largest is {largest}.");
        }

        using var optimizer = new FlatAdamW(
            adapter.Parameters, adapter.Gradients!, [new ParameterGroup(0, adapter.Parameters.numel(), 5e-4, 1e-4)]);
        for (var step = 1; step <= 5; step++)
        {
            adapter.ClearGradients();
            var loss = Loss(step);
            Assert.Equal(expected.Load("steps.loss")[step - 1].item<float>(), loss.item<float>(), 2e-5 * loss.item<float>());
            var norm = GradientClipping.Clip(adapter.Gradients!, 1).item<float>();
            Assert.Equal(expected.Load("steps.grad_norm")[step - 1].item<float>(), norm, 1e-4 * norm);
            optimizer.Step();
        }

        // A gradient that is nearly 0 may have another sign: of all elements, few may differ.
        foreach (var (key, tensor) in tensors)
        {
            var after = expected.Load($"after_step5.{key}");
            var moved = (after - start[key]).norm().item<float>();
            Assert.True((after - tensor).norm().item<float>() <= 1e-2 * moved, $"{key}: after five steps");
        }

        Tensor Loss(int micro)
        {
            Tensor Of(string what) => inputs.Load($"micro.{micro}.{what}");
            masks?.MoveTo(micro);
            var (clean, noise, sigma) = (Of("model_input"), Of("noise"), Of("sigmas").view(-1, 1, 1, 1));
            var noisy = ((1 - sigma) * clean) + (sigma * noise);
            var output = pipeline.Transformer.forward(noisy, Of("timesteps"), Of("prompt_embeds"), Of("pooled_prompt_embeds"));
            var loss = (noisy - (sigma * output) - clean).square().mean();
            GradientNode.Backward(() => loss.backward());
            return loss.detach();
        }
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Fuse_ReferenceAdapter_GivesItsOutputsAndTheModelBack(string name, string model)
    {
        using var pipeline = Load(model);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var inputs = SafetensorsFile.Open(Path.Combine(Variants, $"inputs.{model}.safetensors"));
        using var expected = SafetensorsFile.Open(Path.Combine(Variants, $"{name}.safetensors"));
        pipeline.LoadLora(Path.Combine(Variants, name));
        pipeline.Adapters[0].Fuse();
        GoldenAssert.Close(expected.Load("output"), Forward(pipeline, inputs), Tolerance, $"{name}: fused");
        pipeline.UnloadLora(pipeline.Adapters[0]);
        GoldenAssert.Close(inputs.Load("forward.no_adapter"), Forward(pipeline, inputs), Tolerance, $"{name}: taken out");
    }

    [Theory]
    [MemberData(nameof(Adapters))]
    public void Save_ReferenceAdapter_ReadsBackTheSame(string name, string model)
    {
        using var pipeline = Load(model);
        using var folder = new TemporaryFolder();
        pipeline.LoadLora(Path.Combine(Variants, name));
        var first = pipeline.Adapters[0];
        var path = Path.Combine(folder.Path, LoraFile.DefaultName);
        LoraFile.Save(path, first);
        var report = pipeline.LoadLora(path);
        Assert.Equal((report.FileTensors, 0), (report.MatchedTensors, report.Warnings.Count));
        Assert.Equal(
            first.Layers.Select(layer => (layer.Key, layer.Variant, layer.Rank, layer.Factor)),
            pipeline.Adapters[1].Layers.Select(layer => (layer.Key, layer.Variant, layer.Rank, layer.Factor)));
        GoldenAssert.Exact(first.Parameters, pipeline.Adapters[1].Parameters);
    }

    [Fact]
    public void Fuse_SeveralVariantsAtOnce_EqualsTheirSumInAnyOrder()
    {
        string[] names = ["dora_r4_a8", "alpha16_r4", "loha_r3_a6", "dora_rslora_attn2_r2", "lokr_r3_a6"];
        using var pipeline = Load("tiny-sd35m");
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var inputs = SafetensorsFile.Open(Path.Combine(Variants, "inputs.tiny-sd35m.safetensors"));
        foreach (var name in names)
            pipeline.LoadLora(Path.Combine(Variants, name), weight: 0.25);
        var apart = Forward(pipeline, inputs);
        foreach (var order in new[] { names.Length - 1, 2, 0, 1, 3 })
        {
            pipeline.Adapters[order].Fuse();
            GoldenAssert.Close(apart, Forward(pipeline, inputs), 5e-5, $"fused up to {names[order]}");
        }

        foreach (var order in new[] { 1, 3, 0, 4, 2 })
        {
            pipeline.Adapters[order].Unfuse();
            GoldenAssert.Close(apart, Forward(pipeline, inputs), 5e-5, $"taken out up to {names[order]}");
        }
    }

    [Theory]
    [InlineData("tiny-sd35m", "from_diffusers", false)]
    [InlineData("tiny-sd35m", "default", false)]
    [InlineData("tiny-sd35m", "split_qkv", true)]
    [InlineData("tiny-sd3m", "from_diffusers", false)]
    [InlineData("tiny-sd3m", "default", false)]
    [InlineData("tiny-sd3m", "split_qkv", true)]
    public void Load_KohyasLayout_GivesItsOutputs(string model, string kind, bool warns)
    {
        using var pipeline = Load(model);
        var report = LoadLayout(pipeline, model, $"kohya/{model}.{kind}.safetensors", $"{kind}.output");
        Assert.Equal(LoraFileLayout.Kohya, report.Layout);
        Assert.Equal(warns ? 1 : 0, report.Warnings.Count);
        if (warns)
            Assert.Contains("split_qkv saves files like this", report.Warnings[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tiny-sd35m", "lora_AB")]
    [InlineData("tiny-sd35m", "lora_down_up_alpha")]
    [InlineData("tiny-sd3m", "lora_AB")]
    [InlineData("tiny-sd3m", "lora_down_up_alpha")]
    public void Load_ComfyUIsLayout_GivesItsOutputs(string model, string kind)
    {
        using var pipeline = Load(model);
        var report = LoadLayout(pipeline, model, $"comfyui/{model}.{kind}.safetensors", "from_diffusers.output");
        Assert.Equal((LoraFileLayout.Original, 0), (report.Layout, report.Warnings.Count));
    }

    [Theory]
    [InlineData("original_layout/tiny-sd35m.safetensors", "weights of a whole model")]
    public void Load_NoLora_IsRefusedByName(string name, string message)
    {
        using var pipeline = Load("tiny-sd35m");
        var error = Assert.Throws<LabException>(() => pipeline.LoadLora(Path.Combine(Variants, name)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    private static LoraLoadReport LoadLayout(StableDiffusion3Pipeline pipeline, string model, string file, string output)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var inputs = SafetensorsFile.Open(Path.Combine(Variants, $"inputs.{model}.safetensors"));
        using var expected = SafetensorsFile.Open(Path.Combine(Variants, $"layouts.{model}.safetensors"));
        var report = pipeline.LoadLora(Path.Combine(Variants, file));
        Assert.Equal(report.FileTensors, report.MatchedTensors);
        GoldenAssert.Close(expected.Load(output), Forward(pipeline, inputs), Tolerance, file);
        return report;
    }

    internal static Tensor Forward(StableDiffusion3Pipeline pipeline, SafetensorsFile inputs) => pipeline.Transformer.forward(
        inputs.Load("forward.hidden_states"), inputs.Load("forward.timestep"),
        inputs.Load("forward.encoder_hidden_states"), inputs.Load("forward.pooled_projections"));

    internal static StableDiffusion3Pipeline Load(string model)
    {
        var folder = GoldenSet.PathOf("pipelines", model);
        Assert.SkipUnless(Directory.Exists(Variants) && Directory.Exists(folder), "the second golden set is not here");
        return StableDiffusion3Pipeline.Load(folder, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root, WithT5 = false });
    }
    /// <summary>The masks that the reference drew.</summary>
    private sealed class GivenMasks : InputDropout
    {
        private readonly SafetensorsFile _masks;
        private readonly Dictionary<LinearUpdate, string> _paths;
        private long _micro;

        public GivenMasks(SafetensorsFile masks, LoraAdapter adapter)
            : base(0.3, 0, CPU)
        {
            (_masks, IsOn) = (masks, true);
            _paths = adapter.Layers.ToDictionary(layer => layer.Update, layer => layer.Path);
            foreach (var layer in adapter.Layers)
                layer.Update.Dropout = this;
        }

        public override void MoveTo(long number) => _micro = number;

        protected override Tensor Mask(long[] shape, LinearUpdate update) => _masks.Load($"mask.{_micro}.{_paths[update]}").view(shape);
    }
}
