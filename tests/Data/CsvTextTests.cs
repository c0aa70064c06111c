using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Data;

public sealed class CsvTextTests
{
    [Theory]
    [InlineData("a,b\nc,d", "1:a|b 2:c|d")]
    [InlineData("a,b\r\n\r\nc,\r\n", "1:a|b 3:c|")]
    [InlineData("\"x,y\",\"a \"\"b\"\"\"\nz,\"two\nlines\"\nlast,1", "1:x,y|a \"b\" 2:z|two~lines 4:last|1")]
    [InlineData("", "")]
    [InlineData(",\n", "1:|")]
    public void Rows_Text_AreItsFields(string text, string expected) => Assert.Equal(
        expected,
        string.Join(' ', CsvText.Rows(text, "it").Select(row => $"{row.Line}:{string.Join('|', row.Fields)}")).Replace('\n', '~'));

    [Theory]
    [InlineData("a\n\"b", "it, line 2: a quote is not closed.")]
    [InlineData("\"a\"b", "it, line 1: text follows a closing quote")]
    public void Rows_BrokenQuote_NamesTheLine(string text, string expected)
    {
        var error = Assert.Throws<LabException>(() => CsvText.Rows(text, "it").ToList());
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }
}
