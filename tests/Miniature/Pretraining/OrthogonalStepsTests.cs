using Dreambooth.Lab.Miniature;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Miniature.Pretraining;

public class OrthogonalStepsTests
{
    [Theory]
    [InlineData(12, 12)]
    [InlineData(8, 20)]
    [InlineData(20, 8)]
    public void Orthogonal_Matrices_KeepSingularVectorsAndBringValuesNearOne(int rows, int columns)
    {
        using var scope = NewDisposeScope();
        var matrices = SeededNoise.Normal([3, rows, columns], 1) * 7;
        var result = OrthogonalSteps.Orthogonal(matrices);
        var (u, s, v) = linalg.svd(matrices, fullMatrices: false);
        // In the basis of the old singular vectors the result is diagonal, with the new singular values.
        var values = u.transpose(1, 2).bmm(result).bmm(v.transpose(1, 2));
        var diagonal = values.diagonal(0, 1, 2);
        Assert.True((values - diag_embed(diagonal)).abs().max().item<float>() < 1e-4);
        // Values from a thirtieth of the largest on; smaller ones rise, but not all the way.
        var large = diagonal.masked_select(s.gt(s.amax([1], keepdim: true) / 30));
        Assert.InRange(large.min().item<float>(), 0.6f, 1.3f);
        Assert.InRange(large.max().item<float>(), 0.6f, 1.3f);
    }

    [Fact]
    public void Run_AllParameters_StepsInnerMatricesByTheirShapeAndTheOthersByAdamW()
    {
        using var scope = NewDisposeScope();
        using var models = new MiniatureModels(MiniatureRecipe.Tiny);
        using var weights = new FlatParameters(models.DiffusionParts, CPU, ScalarType.Float32, MiniatureModels.IsFixed);
        weights.Gradients.copy_(SeededNoise.Normal([weights.Length], 2));
        using var optimizer = new FlatAdamW(weights.Values, weights.Gradients, [new ParameterGroup(0, weights.Length, 0.01)],
            new AdamWConfig { Beta1 = 0.95 });
        using var steps = new OrthogonalSteps(weights);
        using var before = weights.Values.clone();
        steps.Run(() => optimizer.Step(), optimizer.StateDict()["exp_avg"], 0.95, 0.01);
        var moved = weights.Values - before;
        var inner = weights.Places.Where(place => OrthogonalSteps.IsInner(place.Path, place.Shape)).ToList();
        Assert.Equal(inner.Count, steps.Count);
        Assert.Contains(inner, place => place.Path == "transformer.transformer_blocks.0.attn.to_q.weight");
        Assert.Contains(inner, place => place.Path.StartsWith("text_encoder.", StringComparison.Ordinal));
        Assert.DoesNotContain(inner, place => place.Path.Contains("embed", StringComparison.Ordinal)
            || place.Path.Contains("proj_out", StringComparison.Ordinal));
        foreach (var (path, offset, shape) in weights.Places)
        {
            var step = moved.narrow(0, offset, shape.Aggregate(1L, (product, size) => product * size));
            if (OrthogonalSteps.IsInner(path, shape))
            {
                // An orthogonal matrix of r rows and c columns has the norm √min(r, c); the iterations end within 0.7 to 1.2 of it.
                var expected = 0.01 * 0.2 * Math.Sqrt(Math.Max(shape[0], shape[1]) * Math.Min(shape[0], shape[1]));
                Assert.InRange(step.norm().item<float>() / expected, 0.6, 1.25);
            }
            else
            {
                // AdamW's first step is the rate, whatever the gradient.
                Assert.True((step.abs() - 0.01).abs().max().item<float>() < 1e-4, path);
            }
        }
    }
}
