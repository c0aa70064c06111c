using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Tests.Golden;
using TorchSharp;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Models.TextEncoders;

public sealed class T5EncoderModelTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<GoldenCase> Encodings => GoldenSet.KeyCases("text_encoders", @"^(?<case>t5_\d+)\.input_ids$");

    private static string Folder => Path.Combine(GoldenSet.PathOf("pipelines", GoldenSet.Pipelines[0]), "text_encoder_3");

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Encodings))]
    public void Forward_GoldenIds_EqualsTheReference(GoldenCase golden)
    {
        golden.Require();
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = T5EncoderModel.Load(Path.Combine(golden.PipelineFolder, "text_encoder_3"), TestDevice.Device, ScalarType.Float32);
        GoldenAssert.Close(golden.Load("output"), model.call(golden.Load("input_ids").Here()), Tolerance, "output");
    }

    [Fact]
    public void PositionBias_Distances_FallIntoTheirClasses()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = T5EncoderModel.Load(Folder, CPU, ScalarType.Float32);
        Assert.Equal((32, 128), (model.Config.RelativeAttentionNumBuckets, model.Config.RelativeAttentionMaxDistance));
        var table = model.Blocks[0].Attention.SelfAttention.RelativeAttentionBias!.Weight;
        table.copy_(arange(32).unsqueeze(1).expand(table.shape));
        var bias = model.PositionBias(300)[0, 0];
        (int Query, int Key, int Class)[] expected =
        [
            (5, 5, 0), (5, 4, 1), (5, 6, 17), (20, 13, 7), (20, 12, 8), (20, 28, 24), (40, 28, 9), (40, 24, 10), (200, 110, 14),
            (200, 109, 15), (200, 72, 15), (0, 299, 31), (299, 0, 15),
        ];
        foreach (var (query, key, kind) in expected)
            Assert.Equal(kind, bias[query, key].item<float>());
    }

    [Fact]
    public void Forward_Repeated_LeavesNoTensorBehindButOneTablePerLength()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = T5EncoderModel.Load(Folder, CPU, ScalarType.Float32);
        var (ids, longer) = (ones(1, 8, dtype: ScalarType.Int64), ones(1, 9, dtype: ScalarType.Int64));
        long Step(Tensor input)
        {
            using (NewDisposeScope())
                model.call(input);
            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }

        var first = Step(ids);
        Assert.Equal(first, Step(ids));
        var second = Step(longer);
        Assert.Equal(second, Step(longer));
        Assert.Equal(second, Step(ids));
        Assert.Empty(model.named_buffers());
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.05)]
    [InlineData(ScalarType.Float16, 0.01)]
    public void Load_NarrowType_StaysNearFloat32(ScalarType dtype, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var wide = T5EncoderModel.Load(Folder, CPU, ScalarType.Float32);
        using var narrow = T5EncoderModel.Load(Folder, CPU, dtype);
        Assert.All(
            narrow.Blocks,
            block => Assert.Equal(dtype == ScalarType.Float16 ? ScalarType.Float32 : dtype, block.FeedForward.Wo.Weight.dtype));
        Assert.Equal(dtype, narrow.Blocks[0].FeedForward.Wi0.Weight.dtype);
        var ids = tensor(new long[,] { { 3, 9, 1712, 1, 0, 0 } });
        var output = narrow.call(ids);
        Assert.Equal(dtype, output.dtype);
        GoldenAssert.Close(wide.call(ids), output, tolerance);
    }

    [Fact]
    public void Forward_Float16Overflow_IsPulledBackFromInfinity()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var model = T5EncoderModel.Load(Folder, CPU, ScalarType.Float16);
        model.Blocks[0].Attention.SelfAttention.O.Weight.fill_(60000);
        Assert.True(model.call(ones(1, 4, dtype: ScalarType.Int64)).isfinite().all().item<bool>());
    }

    [Theory]
    [InlineData("""{"feed_forward_proj": "relu"}""", "gated-gelu")]
    [InlineData("""{"feed_forward_proj": "gated-gelu", "relative_attention_num_buckets": 30}""", "multiple of 4")]
    [InlineData("""{"feed_forward_proj": "gated-gelu", "relative_attention_max_distance": 8}""", "relative_attention_max_distance")]
    public void Read_WhatTheModelLacks_SaysWhatIsKnown(string text, string reason)
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, text);
        var error = Assert.Throws<LabException>(() => T5Config.Read(path));
        File.Delete(path);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
