using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

[Trait("Category", "Kernel")]
public sealed class ParameterCellTests
{
    private const string Defaults =
        "double rate = 1e-4;\nvar scale = 0.5;\nvar steps = 3;\nvar label = \"a\";\nstring note = null;\nvar half = 1f;";

    [Theory]
    [InlineData("rate", "1", "double rate = 1.0;")]
    [InlineData("scale", "1", "var scale = 1.0;")]
    [InlineData("scale", "1e-3", "var scale = 1e-3;")]
    [InlineData("steps", "-10", "var steps = -10;")]
    [InlineData("label", "10", "var label = \"10\";")]
    [InlineData("label", "a \"b\" \\", "var label = \"a \\\"b\\\" \\\\\";")]
    [InlineData("note", "null", "string note = null;")]
    [InlineData("half", "2", "var half = 2f;")]
    public void Write_Value_TakesTheTypeOfTheDefault(string name, string value, string expected) =>
        Assert.Equal("// Parameters\n" + expected, ParameterCell.Write(new Dictionary<string, string> { [name] = value }, Defaults));

    [Theory]
    [InlineData("true", "var p = true;")]
    [InlineData("[1, 2]", "var p = new[] { 1, 2 };")]
    [InlineData("[\"a\"]", "var p = new[] { \"a\" };")]
    [InlineData("plain text", "var p = \"plain text\";")]
    public void Write_NoDefaults_GuessesFromTheValue(string value, string expected) =>
        Assert.Equal("// Parameters\n" + expected, ParameterCell.Write(new Dictionary<string, string> { ["p"] = value }, null));

    [Fact]
    public void Write_UnknownName_ListsTheKnownOnes()
    {
        var error = Assert.Throws<KernelException>(() => ParameterCell.Write(new Dictionary<string, string> { ["step"] = "1" }, Defaults));
        Assert.Contains("rate, scale, steps", error.Message, StringComparison.Ordinal);
    }
}
