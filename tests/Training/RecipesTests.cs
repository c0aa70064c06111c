using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class RecipesTests
{
    public static TheoryData<string> Files =>
    [
        .. Directory.EnumerateFiles(Path.Combine(GoldenSet.RepositoryRoot, "data", "recipes"), "*.json")
            .Select(file => Path.GetFileName(file)),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void Read_ShippedRecipe_IsValidAndEveryOptionActs(string file)
    {
        var warnings = new List<string>();
        var recipe = DreamBoothConfig.Read(PathOf(file), warnings.Add);
        recipe.Validate();
        Assert.Empty(recipe.Notices());
        Assert.Empty(warnings);
    }

    [Theory]
    [InlineData("sd35-medium-stable.json", "stabilityai/stable-diffusion-3.5-medium", 1e-4)]
    [InlineData("sd35-large.json", "stabilityai/stable-diffusion-3.5-large", 1e-5)]
    public void Read_StableRecipe_HasThePublishedValuesAndTheirSource(string file, string model, double rate)
    {
        var recipe = DreamBoothConfig.Read(PathOf(file));
        Assert.Equal(
            (model, rate, 0.1, 1.0, TimestepSamplingKind.Uniform, 256, 12),
            (recipe.PretrainedModelNameOrPath, recipe.LearningRate, recipe.MaxGradNorm, recipe.TimestepShift!.Value,
                recipe.TimestepSampling, recipe.MaxSequenceLength, recipe.TrainBatchSize * recipe.GradientAccumulationSteps));
        Assert.Contains("SimpleTuner, documentation/quickstart/SD3.md at commit 07d9ea7", File.ReadAllText(PathOf(file)),
            StringComparison.Ordinal);
    }

    private static string PathOf(string file) => Path.Combine(GoldenSet.RepositoryRoot, "data", "recipes", file);
}
