using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Tokenizers;

public sealed class TokenizerFilesTests : IDisposable
{
    private readonly TemporaryFolder _model = new();
    private readonly TemporaryFolder _given = new();
    private readonly TemporaryFolder _named = new();

    public void Dispose()
    {
        _model.Dispose();
        _given.Dispose();
        _named.Dispose();
    }

    [Fact]
    public void Find_FilesInSeveralPlaces_PrefersModelThenGivenThenVariable()
    {
        var files = new TokenizerFiles(_given.Path, _named.Path);
        var named = Touch(_named.Path, "t5", "spiece.model");
        Assert.Equal([named], files.Find(_model.Path, "t5", "spiece.model"));
        var given = Touch(_given.Path, "t5", "spiece.model");
        Assert.Equal([given], files.Find(_model.Path, "t5", "spiece.model"));
        var own = Touch(_model.Path, "", "spiece.model");
        Assert.Equal([own], files.Find(_model.Path, "t5", "spiece.model"));
    }

    [Fact]
    public void Find_PairSplitOverFolders_IsNotAPair()
    {
        Touch(_model.Path, "", "vocab.json");
        Touch(_given.Path, "clip", "merges.txt");
        var error = Assert.Throws<LabException>(
            () => new TokenizerFiles(_given.Path, null).Find(_model.Path, "clip", "vocab.json", "merges.txt"));
        Assert.Contains($"{_model.Path} (the model's own folder): no merges.txt", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{Path.Combine(_given.Path, "clip")} (--tokenizers): no vocab.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(TokenizerFiles.Variable, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_FolderThatIsNotThere_SaysSo()
    {
        var error = Assert.Throws<LabException>(() => new TokenizerFiles(Path.Combine(_given.Path, "nowhere"), null));
        Assert.Contains("nowhere", error.Message, StringComparison.Ordinal);
    }

    private static string Touch(string root, string folder, string name)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(root, folder)).FullName, name);
        File.WriteAllText(path, "");
        return path;
    }
}
