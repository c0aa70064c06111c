using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class ConsoleProgressTests
{
    [Theory]
    [InlineData(60, 30, 45, "  0:01:30 left")]
    [InlineData(0.1, 1, 1, "  0:00:01 left")]
    [InlineData(3600, 1, 30, "  30:00:00 left")]
    [InlineData(60, 0, 45, "")]
    [InlineData(60, 30, 0, "")]
    public void Left_PaceSoFar_TellsTheTimeOfTheRest(double seconds, int done, int left, string expected) =>
        Assert.Equal(expected, ConsoleProgress.Left(TimeSpan.FromSeconds(seconds), done, left));

    [Fact]
    public void Left_PaceOfNothing_IsAFiniteTime() =>
        Assert.EndsWith(" left", ConsoleProgress.Left(TimeSpan.FromDays(10000), 1, int.MaxValue), StringComparison.Ordinal);
}
