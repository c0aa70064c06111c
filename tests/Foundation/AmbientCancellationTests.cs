using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

/// <summary>The source is the process's; this one knows the token of the test alone, so that tests beside it see none.</summary>
public sealed class AmbientCancellationTests : IDisposable
{
    private static readonly AsyncLocal<CancellationToken?> OfTheTest = new();

    private readonly Func<CancellationToken>? _former = AmbientCancellation.Source;
    private readonly CancellationTokenSource _ambient = new();

    public AmbientCancellationTests()
    {
        OfTheTest.Value = _ambient.Token;
        AmbientCancellation.Source = () => OfTheTest.Value ?? CancellationToken.None;
    }

    public void Dispose()
    {
        AmbientCancellation.Source = _former;
        _ambient.Dispose();
    }

    [Fact]
    public async Task OrAmbient_NoneGiven_IsTheCallersAlsoInItsTasks()
    {
        Assert.Equal(_ambient.Token, default(CancellationToken).OrAmbient());
        Assert.Equal(_ambient.Token, await Task.Run(() => default(CancellationToken).OrAmbient()));
    }

    [Fact]
    public void OrAmbient_OneGiven_StaysIt()
    {
        using var own = new CancellationTokenSource();
        Assert.Equal(own.Token, own.Token.OrAmbient());
    }

    [Fact]
    public void Token_NoSource_IsNeverCancelled()
    {
        AmbientCancellation.Source = null;
        Assert.False(AmbientCancellation.Token.CanBeCanceled);
    }
}
