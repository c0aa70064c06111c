using Dreambooth.Lab.Evaluation;

namespace Dreambooth.Lab.Tests.Evaluation;

public class DreamBenchTableTests
{
    [Fact]
    public void ToMarkdown_Encoders_StandsBesideThePapersFigures()
    {
        var table = new DreamBenchTable("m", [Row("a", 0.5, 0.7, 0.2), Row("b", 0.6, 0.8, 0.3)], 30, 25);
        Assert.StartsWith(
            """
            | | dino | clip_i | clip_t |
            |---|---|---|---|
            | Real images (paper) | 0.774 | 0.885 | – |
            | DreamBooth, Stable Diffusion (paper) | 0.668 | 0.803 | 0.305 |
            | Real images (this run) | 0.900 (0.900 … 0.900) | 0.950 (0.950 … 0.950) | – |
            | m (this run, reduced) | 0.550 (0.500 … 0.600) | 0.750 (0.700 … 0.800) | 0.250 (0.200 … 0.300) |

            In brackets where 95 % of 2,000 draws of subjects lie, with replacement.

            2 of 30 subjects, 25 of 25 prompts each, 4 pictures a prompt: 200 pictures. A reduced run: 
            """.TrimEnd(), table.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains(
            "the benchmark has 30 subjects, 25 prompts each, 4 pictures a prompt. Judge: DINO x, CLIP y, protocol paper.",
            table.ToMarkdown(), StringComparison.Ordinal);
        Assert.Equal(
            "subject,prompts,pictures,dino,clip_i,clip_t,real_dino,real_clip_i,real_clip_t,"
            + "dino_low,dino_high,clip_i_low,clip_i_high,clip_t_low,clip_t_high\na,25,100,0.5,0.7,0.2,0.9,0.95,,0.4,0.6,,,,\n",
            (table with { Rows = [table.Rows[0]] }).ToCsv());
    }

    [Fact]
    public void ToMarkdown_SubjectsOfUnlikeManyPictures_AreMeansOverPictures() => Assert.Contains(
        "| m (this run, reduced) | 0.575 (0.500 … 0.600) | 0.775 (0.700 … 0.800) | 0.275 (0.200 … 0.300) |",
        new DreamBenchTable("m", [Row("a", 0.5, 0.7, 0.2), Row("b", 0.6, 0.8, 0.3) with { Pictures = 300 }], 30, 25).ToMarkdown(),
        StringComparison.Ordinal);

    [Fact]
    public void ToMarkdown_AnotherJudge_LeavesThePapersFiguresOut()
    {
        var row = Row("a", 0, 0, 0) with { Scores = new Dictionary<string, double> { ["fidelity"] = 0.5 } };
        var text = new DreamBenchTable("m", [row], 3, 25).ToMarkdown();
        Assert.DoesNotContain("0.774", text, StringComparison.Ordinal);
        Assert.DoesNotContain("draws of subjects", text, StringComparison.Ordinal);
        Assert.Contains("| m (this run, reduced) | 0.500 |", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(30, 25, 100, false)]
    [InlineData(29, 25, 100, true)]
    [InlineData(30, 24, 96, true)]
    [InlineData(30, 25, 99, true)]
    public void ToMarkdown_LessThanTheBenchmark_IsCalledReduced(int subjects, int prompts, int pictures, bool reduced)
    {
        var rows = Enumerable.Range(0, subjects).Select(i => Row($"s{i}", 0.5, 0.7, 0.2) with { Prompts = prompts, Pictures = pictures });
        var text = new DreamBenchTable("m", [.. rows], 30, 25).ToMarkdown();
        Assert.Equal(reduced, text.Contains("| m (this run, reduced) |", StringComparison.Ordinal));
        Assert.Equal(reduced, text.Contains("A reduced run:", StringComparison.Ordinal));
        Assert.Equal(!reduced, text.Contains("| m (this run) |", StringComparison.Ordinal));
    }

    private static DreamBenchRow Row(string subject, double dino, double clipImage, double clipText) => new()
    {
        Subject = subject,
        Judge = "DINO x, CLIP y, protocol paper",
        Prompts = 25,
        Pictures = 100,
        Scores = new Dictionary<string, double> { ["dino"] = dino, ["clip_i"] = clipImage, ["clip_t"] = clipText },
        Low = new Dictionary<string, double> { ["dino"] = 0.4 },
        High = new Dictionary<string, double> { ["dino"] = 0.6 },
        Real = new Dictionary<string, double> { ["dino"] = 0.9, ["clip_i"] = 0.95 },
        Settings = "s",
    };
}
