using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class TextFileTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"lab-text-{Guid.NewGuid():N}.txt");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    public void Read_WithByteOrderMark_GivesTheTextAlone(string name)
    {
        File.WriteAllText(_path, "a café\n猫\n", Encoding.GetEncoding(name));
        Assert.Equal("a café\n猫\n", TextFile.Read(_path, "The file"));
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0x0A, 0x63, 0xE9, 0x0A }, "byte 0xE9 in line 2", "WINDOWS-1252")] // "cé" in cp1252
    [InlineData(new byte[] { 0xC3, 0xA8, 0xB0, 0xAE }, "byte 0xB0 in line 1", "GBK")] // Chinese in GBK
    [InlineData(new byte[] { 0x61, 0, 0x62, 0 }, "byte 0x00 in line 1", "iconv -f UTF-16LE")]
    [InlineData(new byte[] { 0, 0x61, 0, 0x62 }, "byte 0x00 in line 1", "iconv -f UTF-16BE")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x61, 0, 0x62 }, "is not UTF-8 text", "UTF-16LE")] // half a character at the end
    [InlineData(new byte[] { 0xFF, 0xFE, 0, 0xD8, 0x61, 0 }, "is not UTF-8 text", "UTF-16LE")] // half a surrogate pair
    public void Read_AnotherEncoding_NamesFilePlaceAndConversion(byte[] content, string place, string conversion)
    {
        File.WriteAllBytes(_path, content);
        var message = Assert.Throws<LabException>(() => TextFile.Read(_path, "The caption")).Message;
        Assert.StartsWith($"The caption {_path} is not UTF-8 text", message, StringComparison.Ordinal);
        Assert.Contains(place, message, StringComparison.Ordinal);
        Assert.Contains(conversion, message, StringComparison.Ordinal);
        Assert.Contains("-t UTF-8", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TooLargeOrMissing_SaysSo()
    {
        File.WriteAllBytes(_path, new byte[1025]);
        Assert.Equal(
            $"The file {_path} is too large: at most 1.0 KiB are read.",
            Assert.Throws<LabException>(() => TextFile.Read(_path, "The file", 1024)).Message);
        Assert.Contains(
            "cannot be read", Assert.Throws<LabException>(() => TextFile.Read(_path + ".no", "The file")).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "cannot be read", Assert.Throws<LabException>(() => TextFile.Read(Path.GetTempPath(), "The file")).Message,
            StringComparison.Ordinal);
    }
}
