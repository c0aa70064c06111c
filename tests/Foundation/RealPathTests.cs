using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class RealPathTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-path-").FullName;

    public RealPathTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "a", "b"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "link"), Path.Combine(_folder, "a"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "second"), "link");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a/", "a", true)]
    [InlineData("link", "a", true)]
    [InlineData("second", "a", true)]
    [InlineData("link/b", "a/b", true)]
    [InlineData("link/../a/b/.", "second/b", true)]
    [InlineData("a", "a/b", false)]
    [InlineData("link/none/yet", "a/none/yet", true)]
    public void AreSame_Links_AreFollowed(string left, string right, bool expected) =>
        Assert.Equal(expected, RealPath.AreSame(Path.Combine(_folder, left), Path.Combine(_folder, right)));

    [Theory]
    [InlineData("a/b", "a", true)]
    [InlineData("second/b/c", "a", true)]
    [InlineData("a", "a", true)]
    [InlineData("ab", "a", false)]
    [InlineData("a", "a/b", false)]
    public void IsWithin_FolderOrBelow_IsTrue(string path, string folder, bool expected) =>
        Assert.Equal(expected, RealPath.IsWithin(Path.Combine(_folder, path), Path.Combine(_folder, folder)));

    [Fact]
    public void Of_LinksInACircle_SaysWhich()
    {
        Directory.CreateSymbolicLink(Path.Combine(_folder, "x"), "y");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "y"), "x");
        Assert.Contains("cannot be followed", Assert.Throws<LabException>(() => RealPath.Of(Path.Combine(_folder, "x", "z"))).Message,
            StringComparison.Ordinal);
    }
}
