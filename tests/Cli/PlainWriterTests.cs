using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Tests.Cli;

public class PlainWriterTests
{
    [Fact]
    public void Write_EveryWay_ShowsEscapeCodesAndKeepsLines()
    {
        using var inner = new StringWriter { NewLine = "\n" };
        using var writer = new PlainWriter(inner);
        writer.Write("a\u001b[2J");
        writer.Write('\u0007');
        writer.Write("😀"[0]);
        writer.Write("😀"[1]);
        writer.WriteLine();
        writer.WriteLine("b\u202ec\td");
        writer.Write(['x', '\u009b', 'y'], 0, 3);
        writer.Write("\u001b]0;t".AsSpan());
        writer.WriteLine((string?)null);
        Assert.Equal("a\\u001b[2J\\u0007😀\nb\\u202ec\td\nx\\u009by\\u001b]0;t\n", inner.ToString());
    }

    [Fact]
    public void Clean_Token_IsLeftOut() =>
        Assert.Equal("the token hf_… of hf_home", PlainWriter.Clean("the token hf_abcdefghijklmnopqrstuvwxyz0123456789 of hf_home"));

    [Fact]
    public void Run_EscapeCodesInAPrompt_AreShown()
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        LabCommandLine.Run(
            ["generate", "--model", "none\u001b[2J", "--prompt", "a\u001b[31mcat"],
            new Session(output, error, false, CancellationToken.None));
        Assert.DoesNotContain('\u001b', output.ToString() + error);
        Assert.Contains(@"none\u001b[2J", error.ToString(), StringComparison.Ordinal);
    }
}
