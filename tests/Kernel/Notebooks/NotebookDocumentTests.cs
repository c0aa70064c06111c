using System.Text;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Notebooks;

namespace Dreambooth.Lab.Tests.Kernel.Notebooks;

[Trait("Category", "Kernel")]
public sealed class NotebookDocumentTests
{
    // Odd on purpose: unknown fields, tabs, blanks before colons, escapes, a number with a tail of zeros.
    private const string Odd =
        "{\n \"cells\": [\n  {\n   \"cell_type\":   \"markdown\",\n   \"id\": \"a1\", \"metadata\": {\"x\":1.500},\n   \"source\": "
        + "\"caf\\u00e9\"\n  },\n"
        + "  {\n   \"cell_type\": \"code\",\n   \"execution_count\": null,\n   \"id\": \"b2\",\n   \"metadata\": {\"tags\": [\"t\"]},\n   "
        + "\"outputs\": [],\n   \"source\": [\"var a = 1;\\n\", \"a\"],\n   \"unknown\": {\"k\" :[ 1,2 ]}\n  }\n ],\n"
        + " \"metadata\": {\"own\":\"\\/\"},\n \"nbformat\": 4,\n \"nbformat_minor\": 5,\n \"extra\": null\n}\n\n";

    [Fact]
    public void ToBytes_NothingChanged_IsByteForByteTheSame() =>
        Assert.Equal(Odd, Encoding.UTF8.GetString(NotebookDocument.Parse(Encoding.UTF8.GetBytes(Odd), "odd").ToBytes()));

    [Fact]
    public void ToBytes_FixtureNotebooks_AreByteForByteTheSame()
    {
        foreach (var path in NotebookFiles.Find([KernelUnderTest.Fixtures]))
            Assert.Equal(File.ReadAllBytes(path), NotebookDocument.Load(path).ToBytes());
    }

    [Fact]
    public void SetOutputs_OneCell_ChangesNothingElse()
    {
        var notebook = NotebookDocument.Parse(Encoding.UTF8.GetBytes(Odd), "odd");
        notebook.SetOutputs(
            1, [new JsonObject { ["name"] = "stdout", ["output_type"] = "stream", ["text"] = new JsonArray("é <b>\n") }], 7);
        var expected = Odd.Replace("\"execution_count\": null", "\"execution_count\": 7", StringComparison.Ordinal).Replace(
            "\"outputs\": []",
            "\"outputs\": [\n    {\n     \"name\": \"stdout\",\n     \"output_type\": \"stream\",\n     \"text\": [\n      \"é <b>\\n\"\n  "
            + "   ]\n    }\n   ]",
            StringComparison.Ordinal);
        Assert.Equal(expected, Encoding.UTF8.GetString(notebook.ToBytes()));
    }

    [Fact]
    public void Cells_OfANotebook_CarrySourceIdAndTags()
    {
        var cells = NotebookDocument.Parse(Encoding.UTF8.GetBytes(Odd), "odd").Cells;
        Assert.Equal("café", cells[0].Source);
        Assert.False(cells[0].IsCode);
        Assert.Equal(("var a = 1;\na", "b2", "t"), (cells[1].Source, cells[1].Id, cells[1].Tags.Single()));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void ToBytes_OlderMinorVersion_IsUpgradedWithIds(int minor)
    {
        var old =
            $$"""{"cells": [{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": []}], "metadata": {}, "nbformat": 4, "nbformat_minor": {{minor}}}""";
        var json = JsonNode.Parse(NotebookDocument.Parse(Encoding.UTF8.GetBytes(old), "old").ToBytes())!;
        Assert.Equal(5, json["nbformat_minor"]!.GetValue<int>());
        Assert.Matches("^[0-9a-f]{8}$", json["cells"]![0]!["id"]!.ToString());
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    public void Insert_AtAnyPlace_GivesAValidNotebook(int after, int expectedIndex)
    {
        var notebook = NotebookDocument.Parse(Encoding.UTF8.GetBytes(Odd), "odd");
        notebook.Insert(after, new NotebookCell("code", null, "x\ny", ["new"]), [], 3);
        var cells = NotebookDocument.Parse(notebook.ToBytes(), "again").Cells;
        Assert.Equal(3, cells.Count);
        Assert.Equal("x\ny", cells[expectedIndex].Source);
    }

    [Theory]
    [InlineData("{\"cells\": [", "line 1")]
    [InlineData("[]", "no JSON object")]
    [InlineData("""{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}""", "nbformat is 3")]
    [InlineData("""{"nbformat": 4, "nbformat_minor": 5}""", "no list of cells")]
    [InlineData(
        """{"cells": [{"cell_type": "poem", "source": ""}], "nbformat": 4, "nbformat_minor": 5}""", "cell 1 has the cell_type 'poem'")]
    [InlineData(
        """{"cells": [{"cell_type": "code", "source": 3}], "nbformat": 4, "nbformat_minor": 5}""",
        "cell 1: source is 3; a text or a list of lines is needed")]
    [InlineData("""{"cells": [7], "nbformat": 4, "nbformat_minor": 5}""", "cell 1 is no JSON object")]
    public void Parse_BrokenFile_SaysWhatIsWrong(string text, string expected)
    {
        var error = Assert.Throws<KernelException>(() => NotebookDocument.Parse(Encoding.UTF8.GetBytes(text), "broken.ipynb"));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("broken.ipynb", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"cells": [], "metadata": {}, "nbformat": 4}""", "it has no nbformat_minor")]
    [InlineData("""{"cells": [], "metadata": {}, "nbformat": {}, "nbformat_minor": 5}""", "nbformat is an object")]
    [InlineData("""{"cells": [], "metadata": {}, "nbformat": 4e99, "nbformat_minor": 5}""", "nbformat is 4e99")]
    [InlineData("""{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": "5"}""", "nbformat_minor is \"5\"")]
    [InlineData("""{"cells": [], "metadata": [], "nbformat": 4, "nbformat_minor": 5}""", "metadata is a list")]
    [InlineData("""{"cells": [], "metadata": {"a": 1, "a": 2}, "nbformat": 4, "nbformat_minor": 5}""", "'a'")]
    [InlineData(
        """{"cells": [], "metadata": {"kernelspec": 5}, "nbformat": 4, "nbformat_minor": 5}""", "metadata: kernelspec is 5; an object")]
    public void Parse_WrongNotebook_NamesFileAndField(string text, string expected) => AssertRefused(text, expected);

    [Theory]
    [InlineData("null", "cell 1 is no JSON object")]
    [InlineData("""{"cell_type": 4}""", "cell 1: cell_type is 4")]
    [InlineData("""{"cell_type": "code", "source": null}""", "cell 1: source is null")]
    [InlineData("""{"cell_type": "code", "source": ["a", null]}""", "cell 1: source[1] is null")]
    [InlineData("""{"cell_type": "code", "source": ["a", "\udfff"]}""", "cells[0].source[1] is no valid Unicode")]
    [InlineData("""{"cell_type": "code", "source": "", "metadata": "m"}""", "cell 1: metadata is \"m\"")]
    [InlineData("""{"cell_type": "code", "source": "", "metadata": {"tags": [5]}}""", "cell 1, metadata: tags[0] is 5")]
    [InlineData("""{"cell_type": "code", "source": "", "metadata": {"vscode": []}}""", "cell 1, metadata: vscode is a list")]
    [InlineData("""{"cell_type": "code", "source": "", "metadata": {"lab": {"a": 1, "a": 1}}}""", "'a'")]
    [InlineData("""{"cell_type": "code", "source": "", "outputs": {}}""", "cell 1: outputs is an object")]
    [InlineData("""{"cell_type": "code", "source": "", "id": 7}""", "cell 1: id is 7")]
    public void Parse_WrongCell_NamesFileAndField(string cell, string expected) =>
        AssertRefused($$"""{"cells": [{{cell}}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}""", expected);

    private static void AssertRefused(string text, string expected)
    {
        var error = Assert.Throws<KernelException>(() => NotebookDocument.Parse(Encoding.UTF8.GetBytes(text), "a.ipynb"));
        Assert.Contains("'a.ipynb'", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
