using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Miniature.Pretraining;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public class AttributeClassifierTests
{
    [Fact]
    public void Forward_Pictures_GivesFeaturesAndScoresOfEachAttribute()
    {
        using var scope = NewDisposeScope();
        using var model = new AttributeClassifier(8, 24, CPU, ScalarType.Float32);
        WeightInitializer.Initialize(model, 1);
        var reading = model.call(zeros(3, 3, 128, 128));
        Assert.Equal([3, 24], reading.Features.shape);
        Assert.Equal([3], reading.Identity.shape);
        Assert.All(DrawingAttributes.All, attribute => Assert.Equal([3, attribute.Classes.Count], reading.LogitsOf(attribute).shape));
        Assert.Equal(DrawingAttributes.All.Sum(attribute => attribute.Classes.Count), reading.Logits.shape[1]);
    }

    [Fact]
    public void Size_OfTheRecipe_IsBelowTwoMegabytesAsBf16()
    {
        var recipe = new ClassifierRecipe();
        using var model = new AttributeClassifier(recipe.Width, recipe.Features, CPU, ScalarType.Float32);
        Assert.InRange(2 * model.parameters().Sum(parameter => parameter.numel()), 1, 2_000_000);
    }
}
