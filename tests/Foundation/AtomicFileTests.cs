using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-atomic-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WriteAllText_NewFolder_CreatesTheFile()
    {
        var path = Path.Combine(_folder, "a", "b.txt");
        AtomicFile.WriteAllText(path, "grüße");
        Assert.Equal("grüße", File.ReadAllText(path));
    }

    [Fact]
    public void Write_WriterThrows_KeepsTheOldContentAndLeavesNothingBehind()
    {
        var path = Path.Combine(_folder, "kept.txt");
        AtomicFile.WriteAllText(path, "old");
        Assert.Throws<IOException>(() => AtomicFile.Write(path, stream =>
        {
            stream.WriteByte(1);
            throw new IOException("disk full");
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    // What .NET says of a full disk names the file that is written to.
    [Fact]
    public void Write_FullDisk_NamesTheFileThatWasAskedFor()
    {
        var path = Path.Combine(_folder, "lora.safetensors");
        var error = Assert.Throws<IOException>(() => AtomicFile.Write(
            path, stream => throw new IOException($"No space left on device : '{stream.Name}'", 28)));
        Assert.Equal($"No space left on device : '{path}'", error.Message);
        Assert.Equal(28, error.HResult);
        Assert.Equal(
            $"Access to the path '{path}' is denied.", Assert.Throws<UnauthorizedAccessException>(() => AtomicFile.Write(
                path, stream => throw new UnauthorizedAccessException($"Access to the path '{stream.Name}' is denied."))).Message);
        Assert.Empty(Directory.GetFiles(_folder));
    }
}
