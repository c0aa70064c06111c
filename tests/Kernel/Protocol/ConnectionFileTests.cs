using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Tests.Kernel.Protocol;

[Trait("Category", "Kernel")]
public sealed class ConnectionFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Read_WhatWasWritten_IsEqual()
    {
        var file = new ConnectionFile("127.0.0.1", "tcp", "k", "hmac-sha256", 1, 2, 3, 4, 5);
        file.Write(_path);
        Assert.Equal(file, ConnectionFile.Read(_path));
        Assert.Equal("tcp://127.0.0.1:3", file.Address(file.IopubPort));
    }

    [Theory]
    [InlineData("no json", "is not valid: 'no json' is an invalid JSON literal")]
    [InlineData("[]", "an object is needed")]
    [InlineData("{}", "shell_port")]
    [InlineData("""{"shell_port": 70000}""", "has 'shell_port' 70000")]
    [InlineData("""{"shell_port": "1"}""", "has 'shell_port' \"1\"")]
    [InlineData("""{"shell_port": 1e400}""", "has 'shell_port' 1e400")]
    [InlineData("""{"shell_port": null}""", "has 'shell_port' null")]
    [InlineData("""{"shell_port": 1, "shell_port": 2}""", "shell_port")]
    [InlineData("""{"key": 5}""", "key is 5; text is needed")]
    [InlineData("""{"ip": ["127.0.0.1"]}""", "ip is a list; text is needed")]
    [InlineData("""{"key": "\ud800"}""", "key is no valid Unicode")]
    [InlineData("null", "holds null")]
    [InlineData("""{"signature_scheme": "hmac-md5"}""", "hmac-md5")]
    [InlineData("""{"transport": "udp"}""", "udp")]
    public void Read_BrokenFile_SaysWhatIsWrong(string text, string expected)
    {
        File.WriteAllText(_path, text);
        var error = Assert.Throws<KernelException>(() => ConnectionFile.Read(_path));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(_path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BytesThatAreNotUtf8_NamesTheField()
    {
        File.WriteAllBytes(_path, [.. "{\"key\": \""u8, 0xff, 0xfe, .. "\"}"u8]);
        Assert.Contains(
            "key is no valid Unicode", Assert.Throws<KernelException>(() => ConnectionFile.Read(_path)).Message, StringComparison.Ordinal);
    }
}
