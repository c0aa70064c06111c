using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class JsonFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Read_EveryKind_GivesTheValues()
    {
        File.WriteAllText(
            _path, "\ufeff"
                + """{ "layers": 3, /* why */ "name": "\ud83d\ude00", "sizes": [1, 2], "part": { "rate": 0.5, "extra": null }, }""");
        var sample = JsonFile.Read<Sample>(_path);
        Assert.Equal((3, "😀", 0.5), (sample.Layers, sample.Name, sample.Part!.Rate));
        Assert.Equal([1, 2], sample.Sizes);
    }

    [Theory]
    [InlineData("""{"layers": "2"}""", """: layers is "2"; valid is a whole number from -2147483648 to 2147483647.""")]
    [InlineData("""{"layers": 4294967296}""", ": layers is 4294967296; valid is a whole number from -2147483648 to 2147483647.")]
    [InlineData("""{"layers": 1, "name": null}""", ": name is null; valid is a text.")]
    [InlineData(
        """{"layers": 1, "sizes": [1, "a\nb"]}""", """: sizes[1] is "a\nb"; valid is a whole number from -2147483648 to 2147483647.""")]
    [InlineData("""{"layers": 1, "sizes": {}}""", ": sizes is {}; valid is a list.")]
    [InlineData("""{"layers": 1, "part": {"rate": true}}""", ": part.rate is true; valid is a number.")]
    [InlineData("""{"layers": 1, "part": {}}""", ": part.rate is missing.")]
    [InlineData("""{"name": "a"}""", ": layers is missing.")]
    [InlineData("""[1]""", " is [1]; valid is a JSON object.")]
    [InlineData("""null""", " is null; valid is a JSON object.")]
    [InlineData(
        """{"layers": 1, "part": {"a": [0, {"b": 1, "b": 2}]}}""", ": part.a[1].b appears twice; each key may appear once.")]
    [InlineData(
        """{"layers": 1, "a": ["x", "\udc00"]}""",
        ": a[1]: the text has half of a surrogate pair (\\uD800 to \\uDFFF), which is no character.")]
    [InlineData("""{"layers": 1, "\ud800": 1}""", ": a key has half of a surrogate pair (\\uD800 to \\uDFFF), which is no character.")]
    [InlineData(
        "{\n \"layers\": 1x}", " is not valid JSON at line 2, byte 13 (layers): 'x' is an invalid end of a number. Expected a delimiter.")]
    public void Read_WrongValue_NamesFileAndField(string json, string message)
    {
        File.WriteAllText(_path, json);
        Assert.Equal(_path + message, Message());
    }

    [Fact]
    public void Read_NotUtf8_NamesByteAndLine()
    {
        File.WriteAllBytes(_path, [.. "{\n\"name\": \"gr"u8, 0xFC, .. "n\"}"u8]);
        Assert.Equal($"{_path} is not UTF-8 text: the byte 0xFC at line 2, offset 13, belongs to no character.", Message());
    }

    [Fact]
    public void Read_TooLarge_IsNotLoaded()
    {
        using (var stream = File.OpenWrite(_path))
            stream.SetLength(5L << 30);
        Assert.Equal($"{_path} has 5368709120 bytes; a JSON file of at most 33554432 is read.", Message());
    }

    [Fact]
    public void Read_LongValueWithEscapeCodes_IsCutAndShownInOneLine()
    {
        File.WriteAllText(_path, $"{{\"layers\": \"{new string('x', 1000)}\"}}", Encoding.UTF8);
        Assert.Equal($"{_path}: layers is \"{new string('x', 79)}…; valid is a whole number from -2147483648 to 2147483647.", Message());
    }

    [Theory]
    [InlineData("1e400", "a finite number")]
    [InlineData("\"1\"", "a finite number")]
    public void Number_NotFinite_IsWrong(string json, string valid)
    {
        var field = JsonField.Parse($"{{\"shift\": {json}}}", "s.json").Get("shift");
        Assert.Equal($"s.json: shift is {json}; valid is {valid}.", Assert.Throws<LabException>(() => field.Number()).Message);
    }

    [Fact]
    public void Int_OutOfRange_NamesTheRange()
    {
        var field = JsonField.Parse("""{"a": [0, 9]}""", "s.json").Get("a").Items().Last();
        Assert.Equal(9, field.Int());
        Assert.Equal("s.json: a[1] is 9; valid is a whole number from 1 to 8.", Assert.Throws<LabException>(() => field.Int(1, 8)).Message);
    }

    [Fact]
    public void FindAndGet_MissingAndNull_DifferAsTheyShould()
    {
        var field = JsonField.Parse("""{"a": null}""", "s.json");
        Assert.Null(field.Find("a"));
        Assert.Null(field.Find("b"));
        Assert.True(field.Get("a").IsNull);
        Assert.Equal("s.json: b is missing.", Assert.Throws<LabException>(() => field.Get("b")).Message);
    }

    private string Message() => Assert.Throws<LabException>(() => JsonFile.Read<Sample>(_path)).Message;

    private sealed record Sample
    {
        public required int Layers { get; init; }

        public string Name { get; init; } = "";

        public IReadOnlyList<int> Sizes { get; init; } = [];

        public Part? Part { get; init; }
    }

    private sealed record Part
    {
        public required double Rate { get; init; }
    }
}
