using Dreambooth.Lab.Miniature.Proof;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

/// <summary>
/// DreamBooth on the miniature that ships, by the recipe that ships. It takes a quarter of an hour on two cores and runs by name:
/// <c>dotnet test tests --filter "Category=Proof&amp;FullyQualifiedName~DreamBoothProofTests"</c>.
/// </summary>
public class DreamBoothProofTests(ITestOutputHelper output)
{
    [Fact]
    [Trait("Category", "Proof")]
    public void Run_ShippedRecipe_MeetsEveryThreshold()
    {
        var data = Path.Combine(GoldenSet.RepositoryRoot, "data");
        Assert.SkipUnless(Directory.Exists(Path.Combine(data, "sd3-mini")), "data/sd3-mini is not in this checkout");
        var recipe = Path.Combine(data, "recipes", "gmc-cat.json");
        var folder = Directory.CreateTempSubdirectory("lab-dreambooth-proof-");
        try
        {
            var report = DreamBoothProof.Run(new DreamBoothProofOptions
            {
                Training = DreamBoothConfig.FromJson(File.ReadAllText(recipe), recipe) with
                {
                    PretrainedModelNameOrPath = Path.Combine(data, "sd3-mini"),
                    InstanceDataDir = Path.Combine(data, "cat_gmc"),
                },
                Classifier = Path.Combine(data, "sd3-mini-classifier"),
                Prompts = Path.Combine(data, "prompts", "miniature"),
                Output = folder.FullName,
                Log = output.WriteLine,
            });
            output.WriteLine(report.ToMarkdown());
            Assert.Empty(report.Shortfalls());
            Assert.True(report.WithoutPrior!.ClassIdentity > report.After.ClassIdentity, "prior preservation makes no difference");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
