using Dreambooth.Lab.Evaluation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Evaluation;

public sealed class SubjectBleedTests
{
    [Fact]
    public void Of_PicturesOfTwoTokens_ComparesEachWithBothSubjects()
    {
        PictureScores[] pictures = [Of("a gmc cat", 0), Of("a gmc cat", 1), Of("a xyz dog", 0)];
        var bleed = SubjectBleed.Of(
            pictures, Vectors((1, 0), (0, 1), (0, 1)),
            [("gmc cat", Vectors((1, 0), (1, 0))), ("xyz dog", Vectors((0, 1))), ("abc cup", Vectors((1, 1)))]);
        Assert.Equal([0.5, 0.5], bleed.Dino[0].Take(2).Select(value => value!.Mean));
        Assert.Equal([0, 1], bleed.Dino[1].Take(2).Select(value => value!.Mean));
        Assert.All(bleed.Dino[2], Assert.Null);
    }

    [Theory]
    [InlineData("gmc cat", "valid is IDENTIFIER=FOLDER")]
    [InlineData("gmc cat=", "valid is IDENTIFIER=FOLDER")]
    [InlineData("gmc cat=a", "at least two different identifiers")]
    public void Complaint_WrongText_SaysWhatIsValid(string text, string message) =>
        Assert.Contains(message, SubjectBleed.Complaint([text]), StringComparison.Ordinal);

    [Fact]
    public void Parse_FolderWithAnEqualsSign_IsKept()
    {
        Assert.Null(SubjectBleed.Complaint(["gmc cat=a=b", "dog=c"]));
        Assert.Equal([("gmc cat", "a=b"), ("dog", "c")], SubjectBleed.Parse(["gmc cat=a=b", "dog=c"]));
    }

    private static PictureScores Of(string prompt, ulong seed) => new() { Path = "p.png", Prompt = prompt, Seed = seed };

    private static UnitVectors Vectors(params (double X, double Y)[] rows)
    {
        using var values = tensor(rows.SelectMany(row => new[] { row.X, row.Y }).ToArray(), [rows.Length, 2]);
        return UnitVectors.Of(values);
    }
}
