using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using Dreambooth.Lab.Tests.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.Transformers;

public sealed class CheckpointedPassTests
{
    private static readonly string[] Attention = ["attn.to_q", "attn.to_v", "attn.add_k_proj", "attn.to_out.0"];

    public static TheoryData<string> Trained => ["attention", "block 2", "ends", "text alone"];

    [Theory]
    [MemberData(nameof(Trained))]
    public void Backward_AgainstThePlainPass_GivesTheSameGradients(string trained)
    {
        using var scope = NewDisposeScope();
        using var transformer = SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
        using var adapter = Adapt(transformer, trained);
        var plain = Run(transformer, adapter, checkpointed: false, textIsTrained: trained is "attention" or "text alone");
        var checkpointed = Run(transformer, adapter, checkpointed: true, textIsTrained: trained is "attention" or "text alone");

        GoldenAssert.Exact(plain.Output, checkpointed.Output, "output");
        Assert.True(trained == "text alone" || plain.Weights.abs().max().item<float>() > 0);
        // Sums over the blocks of what reaches the conditioning are taken in the same order, but for the last of them.
        GoldenAssert.Close(plain.Weights, checkpointed.Weights, 1e-6, "weights");
        Assert.Equal(plain.Text is null, checkpointed.Text is null);
        if (plain.Text is not null)
        {
            GoldenAssert.Close(plain.Text, checkpointed.Text!, 1e-6, "text");
            GoldenAssert.Close(plain.Pooled!, checkpointed.Pooled!, 1e-6, "pooled text");
        }
    }

    [Fact]
    public void Backward_Twice_AddsUp()
    {
        using var scope = NewDisposeScope();
        using var transformer = SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
        using var adapter = Adapt(transformer, "attention");
        var once = Run(transformer, adapter, checkpointed: true, textIsTrained: false).Weights;
        using (var pass = Pass(transformer, Inputs(false)))
        {
            pass.Output.square().sum().backward();
            pass.Backward();
        }

        GoldenAssert.Exact(once * 2, adapter.Gradients!, "gradients");
    }

    [Fact]
    public void Backward_Done_LeavesNoTensors()
    {
        using var transformer = SD3Transformer2DModel.Load(Path.Combine(TinyPipeline.Folder, "transformer"), CPU, ScalarType.Float32);
        using var adapter = Adapt(transformer, "attention");
        Assert.Equal(0, LiveTensors.LeftBy(() =>
        {
            using var scope = NewDisposeScope();
            Run(transformer, adapter, checkpointed: true, textIsTrained: true);
        }));
    }

    [Fact]
    public void Backward_ManyBlocks_KeepsOneBlocksActivationsAtATime()
    {
        Assert.SkipWhen(ProcessMemory.Read().Allocated is null, "The allocator here keeps no statistics.");
        var config = new SD3TransformerConfig
        {
            NumLayers = 16,
            NumAttentionHeads = 2,
            AttentionHeadDim = 64,
            CaptionProjectionDim = 128,
            JointAttentionDim = 64,
            PooledProjectionDim = 64,
            PosEmbedMaxSize = 16,
            QkNorm = "rms_norm",
        };
        using var transformer = new SD3Transformer2DModel(config, CPU, ScalarType.Float32);
        using (no_grad())
        {
            foreach (var (_, owner, name, value) in StateDictLoader.Owners(transformer).ToList())
                owner.Assign(name, full(value.shape, 0.01f));
        }

        using var adapter = Adapt(transformer, "attention");
        // What other tests left is given back now and not while memory is read.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var plain = Peak(transformer, checkpointed: false);
        var checkpointed = Peak(transformer, checkpointed: true);
        Assert.True(checkpointed < 0.35 * plain, $"{checkpointed / 1e6:0.0} MB against {plain / 1e6:0.0} MB");
    }

    /// <summary>The most memory seen inside any block's attention, forward or computed again, above that before the pass.</summary>
    private static long Peak(SD3Transformer2DModel transformer, bool checkpointed)
    {
        using var scope = NewDisposeScope();
        var inputs =
            (SeededNoise.Normal([1, 16, 32, 32], 1), full([1], 500f), SeededNoise.Normal([1, 20, 64], 2), SeededNoise.Normal([1, 64], 3));
        long before = ProcessMemory.Read().Allocated!.Value, most = 0;
        void Look(Tensor query, Tensor key, long image) => most = Math.Max(most, ProcessMemory.Read().Allocated!.Value);
        foreach (var block in transformer.TransformerBlocks)
            block.Attn.HeadsObserver += Look;
        if (checkpointed)
        {
            using var pass = Pass(transformer, inputs);
            pass.Output.square().sum().backward();
            pass.Backward();
        }
        else
        {
            var (latents, timestep, text, pooled) = inputs;
            transformer.forward(latents, timestep, text, pooled).square().sum().backward();
        }

        foreach (var block in transformer.TransformerBlocks)
            block.Attn.HeadsObserver -= Look;
        return most - before;
    }

    private static LoraAdapter Adapt(SD3Transformer2DModel transformer, string trained) => LoraAdapter.Create(
        "a",
        [
            (new LoraComponent("transformer", transformer), new LoraConfig
            {
                Rank = 2,
                TargetModules = trained == "ends" ? ["proj_out", "context_embedder", "time_text_embed.text_embedder.linear_2"] : Attention,
                Blocks = trained == "block 2" ? [2] : null,
            }),
        ],
        0, CPU, ScalarType.Float32, trainable: true);

    private static (Tensor, Tensor, Tensor, Tensor) Inputs(bool textIsTrained) =>
    (
        SeededNoise.Normal([2, 16, 4, 8], 1), tensor([300f, 800f]), SeededNoise.Normal([2, 5, 28], 2).requires_grad_(textIsTrained),
        SeededNoise.Normal([2, 24], 3).requires_grad_(textIsTrained)
    );

    private static CheckpointedPass Pass(
        SD3Transformer2DModel transformer, (Tensor Latents, Tensor Timestep, Tensor Text, Tensor Pooled) inputs) =>
        new(transformer, inputs.Latents, inputs.Timestep, inputs.Text, inputs.Pooled);

    private static (Tensor Output, Tensor Weights, Tensor? Text, Tensor? Pooled) Run(
        SD3Transformer2DModel transformer, LoraAdapter adapter, bool checkpointed, bool textIsTrained)
    {
        using (no_grad())
        {
            adapter.Gradients!.zero_();
            // B is 0 at the start, where A would have no gradient.
            foreach (var layer in adapter.Layers)
                layer.Weights.B.fill_(0.05);
        }

        var inputs = Inputs(textIsTrained);
        using var pass = checkpointed ? Pass(transformer, inputs) : null;
        var output = pass?.Output ?? transformer.forward(inputs.Item1, inputs.Item2, inputs.Item3, inputs.Item4);
        output.square().sum().backward();
        pass?.Backward();
        return (output.detach().clone(), adapter.Gradients!.clone(), inputs.Item3.grad, inputs.Item4.grad);
    }
}
