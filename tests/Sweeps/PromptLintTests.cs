using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tests.Tokenizers;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class PromptLintTests
{
    private static PromptLint Lint { get; } = new()
    {
        Identifier = "gmc",
        Readers = [("CLIP", TokenizerLoader.Load(PublishedTokenizers.Clip("tokenizer"), new TokenizerFiles(TinyTokenizers.Root)), 32)],
    };

    [Fact]
    public void Check_GoodPrompts_FindsNothing() =>
        Assert.Empty(Lint.Check("a photo of gmc cat\n\n  A painting of GMC cat, in (brackets)\n"));

    [Fact]
    public void Check_EachFault_IsToldWithItsLine()
    {
        var findings = Lint.Check(
            $"a photo of gmc cat\n\na photo of cat\r\nA  photo of gmc cat\n{new string('x', 200)} gmc\na (gmc cat:1.3)\ngmcs");
        Assert.Equal(
            [
                (3, "the identifier 'gmc' is missing: its pictures need not show the subject"),
                (4, "the same prompt as in line 1"),
                (6, "'(gmc cat:1.3)' is read as plain words without --prompt_weighting"),
                (7, "the identifier 'gmc' is missing: its pictures need not show the subject"),
            ],
            findings.Where(finding => finding.Line != 5).Select(finding => (finding.Line, finding.Text)));
        Assert.Matches("^cut: CLIP reads the first 32 of its [0-9]+ tokens$", Assert.Single(findings, finding => finding.Line == 5).Text);
    }

    [Fact]
    public void Check_NothingAskedFor_LooksForDoublesAlone()
    {
        Assert.Empty(new PromptLint().Check("a dog\n" + new string('x', 500)));
        Assert.Single(new PromptLint().Check("a dog\na dog"));
    }
}
