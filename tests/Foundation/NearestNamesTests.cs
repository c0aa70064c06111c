using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public class NearestNamesTests
{
    private static readonly string[] Names = ["rank", "seed", "resolution", "learning_rate", "text_encoder_lr", "lr_scheduler"];

    [Theory]
    [InlineData("rnak", "rank")]
    [InlineData("--learning-rate", "learning_rate")]
    [InlineData("Resolutoin", "resolution")]
    [InlineData("scheduler", "lr_scheduler")]
    public void Of_Misspelt_PutsTheMeantNameFirst(string written, string meant) =>
        Assert.Equal(meant, NearestNames.Of(written, Names)[0]);

    [Fact]
    public void Of_ManyNames_ReturnsNoMoreThanAskedFor() => Assert.Equal(2, NearestNames.Of("x", Names, 2).Count);

    [Fact]
    public void Describe_NoNames_SaysSo() => Assert.Equal("It holds none at all.", NearestNames.Describe("x", []));
}
