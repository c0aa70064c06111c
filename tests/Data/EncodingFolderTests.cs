using Dreambooth.Lab.Data;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Data;

public sealed class EncodingFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-encodings-").FullName;
    private readonly List<string> _warnings = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private EncodingFolder Open(long most = EncodingFolder.MostBytes) => new(_folder, _warnings.Add, most);

    private static Dictionary<string, Tensor> Values(float value) => new() { ["mean"] = full([2, 3], value), ["std"] = full([4], -value) };

    private string OnlyFile => Assert.Single(Directory.GetFiles(_folder));

    [Fact]
    public void Find_AfterKeep_GivesTheSameBitsForThisKeyAlone()
    {
        using var scope = NewDisposeScope();
        var mean = randn(2, 3).to(ScalarType.BFloat16);
        Open().Keep("a key", new Dictionary<string, Tensor> { ["mean"] = mean });
        var found = Open().Find("a key", CPU);
        Assert.Equal(mean.bytes.ToArray(), found!["mean"].bytes.ToArray());
        Assert.Equal(ScalarType.BFloat16, found["mean"].dtype);
        Assert.Null(Open().Find("another key", CPU));
        Assert.Empty(_warnings);
    }

    [Theory]
    [InlineData("flipped")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("text")]
    [InlineData("renamed")]
    public void Find_DamagedFile_WarnsAndFindsNothing(string how)
    {
        using var scope = NewDisposeScope();
        Open().Keep("a key", Values(1));
        var path = OnlyFile;
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= how == "flipped" ? (byte)1 : (byte)0;
        File.WriteAllBytes(path, how switch
        {
            "cut" => bytes[..^5],
            "empty" => [],
            "text" => "no tensors"u8.ToArray(),
            _ => bytes,
        });
        if (how == "renamed")
        {
            Open().Keep("another", Values(2));
            File.Move(Directory.GetFiles(_folder).Single(file => file != path), path, overwrite: true);
        }

        Assert.Null(Open().Find("a key", CPU));
        Assert.Contains("is not used but computed again", Assert.Single(_warnings), StringComparison.Ordinal);
        Open().Keep("a key", Values(3));
        Assert.Equal(3f, Open().Find("a key", CPU)!["mean"][0, 0].item<float>());
        Assert.Single(_warnings);
    }

    [Fact]
    public void KeepAndFind_ManyAtOnce_NeverShowAPart()
    {
        Parallel.For(0, 40, i =>
        {
            using var scope = NewDisposeScope();
            var folder = Open();
            if (folder.Find($"{i % 4}", CPU) is { } found)
                Assert.Equal(i % 4, found["mean"][1, 2].item<float>());
            folder.Keep($"{i % 4}", Values(i % 4));
            Assert.Equal(i % 4, folder.Find($"{i % 4}", CPU)!["mean"][1, 2].item<float>());
        });
        Assert.Empty(_warnings);
        Assert.Equal(4, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public void Prune_TooMuch_DeletesWhatWasUnusedForTheLongestTimeAndNothingOfThisRun()
    {
        using var scope = NewDisposeScope();
        foreach (var i in Enumerable.Range(0, 4))
        {
            Open().Keep($"{i}", Values(i));
            File.SetLastAccessTimeUtc(Directory.GetFiles(_folder).Order().First(file =>
                File.GetLastAccessTimeUtc(file) > DateTime.UtcNow.AddDays(-1)), DateTime.UtcNow.AddDays(i - 10));
        }

        var size = new FileInfo(Directory.GetFiles(_folder)[0]).Length;
        var folder = Open(most: 2 * size);
        using var first = folder.Find("0", CPU)!["mean"];
        folder.Prune();
        Assert.NotNull(Open().Find("0", CPU));
        Assert.Null(Open().Find("1", CPU));
        Assert.Null(Open().Find("2", CPU));
        Assert.NotNull(Open().Find("3", CPU));
        Assert.StartsWith("2 encodings, ", EncodingFolder.Describe(_folder), StringComparison.Ordinal);

        var all = Open(most: 1);
        _ = (all.Find("0", CPU), all.Find("3", CPU));
        all.Prune();
        Assert.Equal(2, Directory.GetFiles(_folder).Length);
    }

    [Fact]
    public void Keep_FolderThatIsAFile_WarnsOnceAndGoesOn()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_folder, "file");
        File.WriteAllText(path, "");
        var folder = new EncodingFolder(path, _warnings.Add);
        folder.Keep("a", Values(1));
        folder.Keep("b", Values(1));
        folder.Prune();
        Assert.Null(folder.Find("a", CPU));
        Assert.Contains("Encodings are not kept in", Assert.Single(_warnings), StringComparison.Ordinal);
        Assert.Null(EncodingFolder.Describe(Path.Combine(_folder, "none")));
    }
}
