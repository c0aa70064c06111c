using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Data;

public sealed class PictureFolderTests : IDisposable
{
    private readonly PictureSamples _samples = new();

    public void Dispose() => _samples.Dispose();

    private void AddBadFiles()
    {
        var modes = Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "imaging", "modes");
        File.Copy(Path.Combine(modes, "cmyk.jpg"), _samples.PathOf("c.jpg"));
        File.Copy(Path.Combine(modes, "rgb16.png"), _samples.PathOf("d.png"));
        File.Copy(Path.Combine(modes, "gray16.png"), _samples.PathOf("e.png"));
        var whole = File.ReadAllBytes(_samples.Add("f.png", seed: 3));
        File.WriteAllBytes(_samples.PathOf("f.png"), whole[..(whole.Length / 2)]);
        _samples.Add("g.png", 60, 15);
        _samples.AddText("h.jpg", "no picture at all");
        _samples.AddText("i.pdf", "%PDF");
        _samples.AddText("j.txt", "a caption without its picture");
        _samples.AddText("k.webp", "");
    }

    [Fact]
    public void Read_MixedFormats_AreSortedByName()
    {
        foreach (var name in new[] { "b.jpg", "a10.png", "a2.JPEG", "B.png" })
            _samples.Add(name);
        _samples.AddText("b.txt", "caption");
        _samples.AddText("metadata.jsonl", "");
        _samples.AddText(".hidden", "");
        Directory.CreateDirectory(_samples.PathOf("folder.png"));
        var folder = PictureFolder.Read(_samples.Folder, BadImagePolicy.Refuse);
        Assert.Equal(["B.png", "a10.png", "a2.JPEG", "b.jpg"], folder.Pictures.Select(picture => Path.GetFileName(picture.Path)));
        Assert.All(folder.Pictures, picture => Assert.Equal((60, 48), (picture.Width, picture.Height)));
        Assert.Empty(folder.Bad);
    }

    [Fact]
    public void Read_BadFilesSkipped_NamesEachWithItsReason()
    {
        _samples.Add("a.png");
        AddBadFiles();
        var folder = PictureFolder.Read(_samples.Folder, BadImagePolicy.Skip, minSize: 16);
        Assert.Equal("a.png", Path.GetFileName(Assert.Single(folder.Pictures).Path));
        var reasons = folder.Bad.ToDictionary(bad => Path.GetFileName(bad.Path), bad => bad.Reason);
        Assert.Equal(
            ["c.jpg", "d.png", "e.png", "f.png", "g.png", "h.jpg", "i.pdf", "j.txt", "k.webp"], reasons.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("CMYK", reasons["c.jpg"], StringComparison.Ordinal);
        Assert.Contains("16 bits", reasons["d.png"], StringComparison.Ordinal);
        Assert.Contains("16 bits", reasons["e.png"], StringComparison.Ordinal);
        Assert.Contains("cut off", reasons["f.png"], StringComparison.Ordinal);
        Assert.Contains("60x15", reasons["g.png"], StringComparison.Ordinal);
        Assert.Contains("not a picture", reasons["h.jpg"], StringComparison.Ordinal);
        Assert.Contains("not a picture", reasons["i.pdf"], StringComparison.Ordinal);
        Assert.Contains("empty", reasons["k.webp"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_PipeAndDeviceNamedLikePictures_AreNotWaitedFor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        _samples.Add("a.png");
        using (var make = System.Diagnostics.Process.Start("mkfifo", _samples.PathOf("b.png")))
            make.WaitForExit();
        File.CreateSymbolicLink(_samples.PathOf("c.png"), "/dev/zero");
        var folder = await Task.Run(() => PictureFolder.Read(_samples.Folder, BadImagePolicy.Skip)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("a.png", Path.GetFileName(Assert.Single(folder.Pictures).Path));
        Assert.Equal(["b.png", "c.png"], folder.Bad.Select(bad => Path.GetFileName(bad.Path)));
        Assert.All(folder.Bad, bad => Assert.Equal("empty (0 bytes), or a pipe or device and no file", bad.Reason));
    }

    [Fact]
    public void Read_BadFilesRefused_OneMessageListsAll()
    {
        _samples.Add("a.png");
        AddBadFiles();
        var error = Assert.Throws<LabException>(() => PictureFolder.Read(_samples.Folder, BadImagePolicy.Refuse, minSize: 16));
        Assert.StartsWith("9 of 10 files in ", error.Message, StringComparison.Ordinal);
        Assert.All(new[] { "c.jpg", "d.png", "e.png", "f.png", "g.png", "h.jpg", "i.pdf", "j.txt", "k.webp" },
            name => Assert.Contains($"\n  {name}: ", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_NoFolder_NamesIt()
    {
        var error = Assert.Throws<LabException>(() => PictureFolder.Read(_samples.PathOf("none"), BadImagePolicy.Skip));
        Assert.Contains("none does not exist", error.Message, StringComparison.Ordinal);
    }
}
