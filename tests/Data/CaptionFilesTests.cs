using System.Text;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Data;

public sealed class CaptionFilesTests : IDisposable
{
    private readonly PictureSamples _samples = new();

    public CaptionFilesTests()
    {
        _samples.Add("gmc_000.png");
        _samples.Add("gmc_001.png", seed: 1);
    }

    public void Dispose() => _samples.Dispose();

    private CaptionFiles Read(string? captionColumn = null, string imageColumn = "image") =>
        CaptionFiles.Read(_samples.Folder, imageColumn, captionColumn);

    private string? Of(string name, string? captionColumn = null) => Read(captionColumn).Of(_samples.PathOf(name)).Text;

    private string Fail(string? captionColumn = null) => Assert.Throws<LabException>(() => Of("gmc_000.png", captionColumn)).Message;

    private void List(params string[] lines) => _samples.AddText("metadata.jsonl", string.Join('\n', lines));

    [Theory]
    [InlineData("gmc_000.TXT")]
    [InlineData("gmc_000.Txt")]
    [InlineData("gmc_000.caption")]
    public void Of_TextFileWithAnyEnding_IsRead(string name)
    {
        _samples.AddText(name, "a gmc cat asleep\n");
        Assert.Equal(("a gmc cat asleep", CaptionSource.TextFile), Read().Of(_samples.PathOf("gmc_000.png")));
        Assert.Null(Of("gmc_001.png"));
    }

    [Fact]
    public void Of_TwoTextFiles_AsksForOne()
    {
        _samples.AddText("gmc_000.txt", "one");
        _samples.AddText("gmc_000.TXT", "two");
        Assert.EndsWith("has 2 caption files, gmc_000.TXT, gmc_000.txt; keep one.", Fail(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_CsvList_IsRead()
    {
        _samples.AddText("metadata.csv", "file_name,prompt\ngmc_000.png,\"a cat, asleep\"\ngmc_001.png,\n");
        Assert.Equal(("a cat, asleep", CaptionSource.List), Read("prompt").Of(_samples.PathOf("gmc_000.png")));
        Assert.Null(Of("gmc_001.png"));
        Assert.EndsWith("has no key \"txt\"; its keys are \"file_name\", \"prompt\".", Fail("txt"), StringComparison.Ordinal);
        List("""{"file_name": "gmc_000.png", "text": "another"}""");
        Assert.Equal("another", Of("gmc_000.png"));
        Assert.EndsWith("has metadata.jsonl and metadata.csv: the first counts.", Read().Remarks[0], StringComparison.Ordinal);
        File.Delete(_samples.PathOf("metadata.jsonl"));
        _samples.AddText("metadata.csv", "file_name,prompt\ngmc_000.png\n");
        Assert.EndsWith("metadata.csv, line 2 has 1 fields, and its first line names 2.", Fail(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_EmptyTextFile_IsNoCaption()
    {
        _samples.AddText("gmc_000.txt", "");
        Assert.Equal((null, CaptionSource.None), Read().Of(_samples.PathOf("gmc_000.png")));
    }

    [Fact]
    public async Task Of_PipeNamedLikeACaption_IsNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        using (var make = System.Diagnostics.Process.Start("mkfifo", _samples.PathOf("gmc_000.txt")))
            make.WaitForExit();
        Assert.Null(await Task.Run(() => Of("gmc_000.png")).WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_ListWithoutContent_IsRefused(bool isFolder)
    {
        if (isFolder)
            Directory.CreateDirectory(_samples.PathOf("metadata.jsonl"));
        else
            List();
        Assert.StartsWith(
            $"{_samples.PathOf("metadata.jsonl")} has no content: it is empty, or no file.", Fail(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("./gmc_000.png")]
    [InlineData(".\\\\gmc_000.png")]
    [InlineData("inside/../gmc_000.png")]
    [InlineData("FOLDER/gmc_000.png")]
    public void Of_ListNamesPicturesByPath_FindsThem(string name)
    {
        Directory.CreateDirectory(_samples.PathOf("inside"));
        List($$"""{"file_name": "{{name.Replace("FOLDER", _samples.Folder, StringComparison.Ordinal)}}", "text": "listed"}""");
        Assert.Equal("listed", Of("gmc_000.png"));
    }

    [Fact]
    public void Of_ListNamesAPictureInAFolderInside_FindsIt()
    {
        Directory.CreateDirectory(_samples.PathOf("inside"));
        var picture = _samples.Add("inside/a.png");
        List("""{"file_name": "inside/a.png", "text": "within"}""");
        Assert.Equal("within", Of("inside/a.png"));
        Assert.Equal([Path.GetFullPath(picture)], Read().Listed);
    }

    [Theory]
    [InlineData("caption")]
    [InlineData("prompt")]
    public void Of_KeyThatOthersUse_IsTakenWithAWord(string key)
    {
        List($$"""{"file_name": "gmc_000.png", "{{key}}": "yes", "n": 1}""");
        Assert.Equal("yes", Of("gmc_000.png"));
        Assert.EndsWith(
            $"has no key \"text\": captions are taken from \"{key}\".", Assert.Single(Read().Remarks), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_TwoKeys_TakesTextAndSaysSo()
    {
        List("""{"file_name": "gmc_000.png", "caption": "no", "text": "yes"}""");
        Assert.Equal("yes", Of("gmc_000.png"));
        Assert.Contains(
            "has the keys \"text\", \"caption\": captions are taken from \"text\"; --caption_column names another.",
            Assert.Single(Read().Remarks), StringComparison.Ordinal);
        Assert.Equal("no", Of("gmc_000.png", "caption"));
        Assert.Empty(Read("caption").Remarks);
    }

    [Fact]
    public void Read_OtherKeysAlone_NamesThemAndTheFlag()
    {
        List("""{"file_name": "gmc_000.png", "words": "x"}""");
        Assert.EndsWith(
            "has none of the keys \"text\", \"caption\", \"prompt\" that captions are taken from; its keys are \"file_name\", \"words\". "
            + "Name the right one with --caption_column.",
            Fail(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[\"a\", \"b\"]")]
    [InlineData("3")]
    [InlineData("null")]
    [InlineData("true")]
    public void Read_TextThatIsNone_NamesFileLineAndKey(string value)
    {
        List("""{"file_name": "gmc_001.png", "text": "fine"}""", "", $$"""{"file_name": "gmc_000.png", "text": {{value}}}""");
        Assert.Equal($"{_samples.PathOf("metadata.jsonl")}, line 3: text is {value}; valid is a text.", Fail());
    }

    [Theory]
    [InlineData("""{"file_name":"\ud800","image":"gmc_000.png","text":"a b","n":1}""", "line 1: file_name")]
    [InlineData("""{"file_name":"gmc_000.png","text":"\udc00"}""", "line 1: text")]
    [InlineData("""{"file_name":"gmc_000.png","\ud800":"x"}""", "line 1")]
    [InlineData("""{"file_name":"gmc_000.png","text":"a","text":"b"}""", "line 1: text appears twice")]
    [InlineData("""{"file_name":["gmc_000.png"],"text":"a"}""", "line 1: file_name is [\"gmc_000.png\"]; valid is a text.")]
    [InlineData("""{"file_name":"a\u0000b","text":"a"}""", "which is not in the folder")]
    [InlineData("""{"file_name":"","text":"a"}""", "which is not in the folder")]
    [InlineData("""{"file_name":"gmc_00.png","text":"a"}""", "which is not in the folder. Nearest: gmc_000.png, gmc_001.png.")]
    public void Read_MalformedLine_SaysWhatAndWhere(string line, string message)
    {
        List(line);
        Assert.Contains(message, Fail(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PictureOfAnotherFolder_IsRefused()
    {
        using var other = new PictureSamples();
        List($$"""{"file_name": "{{other.Add("gmc_000.png")}}", "text": "a"}""");
        Assert.Contains("which is not in " + _samples.Folder, Fail(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("words", "image", "caption_column is \"words\"", "leave --caption_column out")]
    [InlineData(null, "picture", "image_column is \"picture\"", "leave --image_column out")]
    public void Read_KeyWithoutAList_IsRefused(string? captionColumn, string imageColumn, string what, string advice)
    {
        var message = Assert.Throws<LabException>(() => Read(captionColumn, imageColumn)).Message;
        Assert.StartsWith(what + ", a key of metadata.jsonl, but", message, StringComparison.Ordinal);
        Assert.Contains(advice, message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void Of_ByteOrderMark_IsNoPartOfTheText(string encoding)
    {
        File.WriteAllText(_samples.PathOf("gmc_000.txt"), "café 猫", Encoding.GetEncoding(encoding));
        File.WriteAllText(
            _samples.PathOf("metadata.jsonl"), """{"file_name": "gmc_001.png", "text": "blé"}""", Encoding.GetEncoding(encoding));
        Assert.Equal("café 猫", Of("gmc_000.png"));
        Assert.Equal("blé", Of("gmc_001.png"));
    }

    [Theory]
    [InlineData("gmc_000.txt")]
    [InlineData("metadata.jsonl")]
    public void Of_AnotherEncoding_IsRefusedByName(string name)
    {
        File.WriteAllBytes(_samples.PathOf(name), [(byte)'c', 0xE9, (byte)'\n']);
        var message = Fail();
        Assert.Contains($"{_samples.PathOf(name)} is not UTF-8 text: byte 0xE9 in line 1.", message, StringComparison.Ordinal);
        Assert.Contains("iconv", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_EndlessText_IsRefusedAndCut()
    {
        _samples.AddText("gmc_000.txt", new string('a', 10_001));
        var message = Fail();
        Assert.EndsWith(
            "gmc_000.txt has 10,001 characters (\"" + new string('a', 40) + "…\"); at most 10,000 are valid.", message,
            StringComparison.Ordinal);
        _samples.AddText("gmc_000.txt", new string('a', 10_000));
        Assert.Equal(10_000, Of("gmc_000.png")!.Length);
    }
}
