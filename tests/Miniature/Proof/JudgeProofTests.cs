using Dreambooth.Lab.Miniature.Proof;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Miniature.Proof;

/// <summary>
/// The judge by encoders on the miniature that ships, with the encoders that ship. Three trainings and some 200 pictures take about
/// twenty minutes on two cores; it runs by name: <c>dotnet test tests --filter "Category=Proof&amp;FullyQualifiedName~JudgeProof"</c>.
/// </summary>
public class JudgeProofTests(ITestOutputHelper output)
{
    [Fact]
    [Trait("Category", "Proof")]
    public void Run_ShippedEncoders_EveryClaimHolds()
    {
        var data = Path.Combine(GoldenSet.RepositoryRoot, "data");
        Assert.SkipUnless(Directory.Exists(Path.Combine(data, "sd3-mini")), "data/sd3-mini is not in this checkout");
        var recipe = Path.Combine(data, "recipes", "gmc-cat.json");
        var folder = Directory.CreateTempSubdirectory("lab-judge-proof-");
        try
        {
            var report = JudgeProof.Run(new JudgeProofOptions
            {
                Training = DreamBoothConfig.FromJson(File.ReadAllText(recipe), recipe) with
                {
                    PretrainedModelNameOrPath = Path.Combine(data, "sd3-mini"),
                    InstanceDataDir = Path.Combine(data, "cat_gmc"),
                },
                Encoders = Path.Combine(data, "sd3-mini-encoders"),
                Classifier = Path.Combine(data, "sd3-mini-classifier"),
                Shipped = Path.Combine(data, "gmc-cat-lora"),
                Output = folder.FullName,
                Log = output.WriteLine,
            });
            output.WriteLine(report.ToMarkdown());
            Assert.Empty(report.Shortfalls());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
