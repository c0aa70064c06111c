using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Tests.Cli;

public sealed class CellTextTests : IDisposable
{
    private readonly StringWriter _shown = new();

    public void Dispose() => _shown.Dispose();

    [Fact]
    public void Write_Terminal_LetsColoursThroughAndNothingElse()
    {
        Write(isTerminal: true, "\e[1;31mred\e[0m \e[2Jx", "\e]0;title\a\e[?25l");
        Assert.Equal(
            @"[1;31mred[0m \u001b[2Jx\u001b]0;title\u0007\u001b[?25l".Replace("[1;", "\e[1;").Replace("[0m", "\e[0m"), _shown.ToString());
    }

    [Fact]
    public void Write_NoTerminal_TakesColoursOut()
    {
        Write(isTerminal: false, "a\e[38;5;208mb\e[m", "\e[2Jc");
        Assert.Equal(@"ab\u001b[2Jc", _shown.ToString());
    }

    [Fact]
    public void Write_CodeCutBetweenPieces_IsOneCode()
    {
        Write(isTerminal: false, "a\e", "[3", "1mb", "\e[", "2Kc");
        Assert.Equal(@"ab\u001b[2Kc", _shown.ToString());
    }

    [Fact]
    public void End_ColourLeftOn_IsTakenBack()
    {
        Write(isTerminal: true, "\e[32mgreen");
        Assert.Equal("\e[32mgreen\e[0m", _shown.ToString());
    }

    [Fact]
    public void End_CodeLeftOpen_IsShown()
    {
        Write(isTerminal: true, "a\e[3");
        Assert.Equal(@"a\u001b[3", _shown.ToString());
    }

    private void Write(bool isTerminal, params string[] pieces)
    {
        using var writer = new PlainWriter(_shown);
        var text = new CellText(new Session(writer, writer, isTerminal, CancellationToken.None));
        foreach (var piece in pieces)
            text.Write(piece);
        text.End();
    }
}
