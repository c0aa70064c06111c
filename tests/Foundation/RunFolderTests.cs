using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class RunFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-run-folder-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_FolderInUse_SaysByWhom()
    {
        using (RunFolder.Open(_folder, "training", "output_dir"))
        {
            var error = Assert.Throws<LabException>(() => RunFolder.Open(_folder, "drawing", "output_dir"));
            Assert.StartsWith($"{_folder} is in use by training in this very process on {Environment.MachineName} since ", error.Message,
                StringComparison.Ordinal);
            Assert.EndsWith("or name another folder (output_dir).", error.Message, StringComparison.Ordinal);
        }

        using var again = RunFolder.Open(_folder, "drawing", "output_dir");
    }

    [Fact]
    public void Dispose_Folder_LeavesNothingOfItsOwn()
    {
        RunFolder.Open(_folder, "training", "output_dir").Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
        var made = Path.Combine(_folder, "made");
        RunFolder.Open(made, "training", "output_dir").Dispose();
        Assert.False(Directory.Exists(made));
        using (RunFolder.Open(made, "training", "output_dir"))
            File.WriteAllText(Path.Combine(made, "result"), "x");
        Assert.Equal(["result"], Directory.GetFileSystemEntries(made).Select(Path.GetFileName));
    }

    [Fact]
    public void Open_Parts_ShareTheFolderAndKeepWholeRunsOut()
    {
        var (first, second) = (Open(0, 2), Open(1, 2));
        Assert.Contains("is in use by part 0/2 of generate in this very process", InUse(null), StringComparison.Ordinal);
        Assert.Contains("is in use by part 1/2 of generate in this very process", InUse(new Shard(1, 2)), StringComparison.Ordinal);
        Assert.Contains("is in use by part 0/2 of generate", InUse(new Shard(2, 3)), StringComparison.Ordinal);
        first.Dispose();
        Assert.True(second.TryTakeWhole());
        Assert.Contains("is in use by part 1/2 of generate", InUse(null), StringComparison.Ordinal);
        second.Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
        RunFolder.Open(_folder, "generate", "output_dir").Dispose();

        RunFolder Open(int index, int count) => RunFolder.Open(_folder, "generate", "output_dir", new Shard(index, count));
        string InUse(Shard? shard) =>
            Assert.Throws<LabException>(() => RunFolder.Open(_folder, "drawing", "output_dir", shard)).Message;
    }

    [Fact]
    public async Task Open_PartWhileTheLastPutsTheResultsTogether_WaitsForIt()
    {
        var last = RunFolder.Open(_folder, "generate", "output_dir", new Shard(1, 2));
        Assert.True(last.TryTakeWhole());
        Assert.ThrowsAny<OperationCanceledException>(
            () => RunFolder.Open(_folder, "generate", "output_dir", new Shard(0, 2), cancellation: new CancellationToken(canceled: true)));
        var waiting = Task.Run(
            () => RunFolder.Open(_folder, "generate", "output_dir", new Shard(0, 2)), TestContext.Current.CancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        last.Dispose();
        using (await waiting)
            Assert.True(File.Exists(Path.Combine(_folder, ".lab.holder.0-of-2")));
    }

    [Fact]
    public void Open_PartThatIsAlone_DoesWhatOnlyOneMayDo()
    {
        var times = 0;
        using (RunFolder.Open(_folder, "generate", "output_dir", new Shard(0, 2), () => times++))
        using (RunFolder.Open(_folder, "generate", "output_dir", new Shard(1, 2), () => times++))
            Assert.Equal(1, times);
    }

    [Fact]
    public void Open_MarksOfKilledParts_AreNoObstacleAndGo()
    {
        foreach (var name in new[] { ".lab.lock", ".lab.lock.0-of-2", ".lab.holder.0-of-2", ".lab.lock.1-of-3" })
            File.WriteAllText(Path.Combine(_folder, name), "x");
        RunFolder.Open(_folder, "generate", "output_dir", new Shard(0, 2)).Dispose();
        RunFolder.Open(_folder, "generate", "output_dir").Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void ClearLeftovers_OfAPart_LeavesThoseOfOthers()
    {
        foreach (var name in new[] { "img_00.png", "img_01.png" })
            File.WriteAllText(AtomicFile.TemporaryBeside(Path.Combine(_folder, name)), "x");
        using var folder = RunFolder.Open(_folder, "generate", "output_dir", new Shard(0, 2));
        Assert.Equal(1, folder.ClearLeftovers(path => path == Path.Combine(_folder, "img_00.png")));
    }

    [Fact]
    public void Open_FileInItsPlace_SaysThatItCannotBeWrittenTo()
    {
        var file = Path.Combine(_folder, "file");
        File.WriteAllText(file, "x");
        foreach (var path in new[] { file, Path.Combine(file, "below") })
        {
            var error = Assert.Throws<LabException>(() => RunFolder.Open(path, "training", "output_dir"));
            Assert.StartsWith($"The folder {path} (output_dir) cannot be written to: ", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_FullDisk_SaysSoAndLeavesNothing()
    {
        if (!OperatingSystem.IsLinux())
            return;

        // Writing to this device is always answered with "no space left".
        File.CreateSymbolicLink(Path.Combine(_folder, ".lab.lock"), "/dev/full");
        var error = Assert.Throws<LabException>(() => RunFolder.Open(_folder, "training", "output_dir"));
        Assert.Contains("cannot be written to", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void ClearLeftovers_HalfWrittenFiles_GoAndOthersStay()
    {
        var half = $".img_00.png.{Guid.NewGuid():N}.tmp";
        string[] gone = [half, Path.Combine("000_a cat", half), Path.Combine($".checkpoint-10.{Guid.NewGuid():N}.tmp", "lora.safetensors")];
        string[] kept =
        [
            "mine.tmp", ".hidden.tmp", ".a.0123456789abcdef0123456789abcdeg.tmp", Path.Combine("000_a cat", "img_00.png"),
            Path.Combine("held", half), Path.Combine("held", ".lab.lock"),
        ];
        foreach (var file in gone.Concat(kept))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, file))!);
            File.WriteAllText(Path.Combine(_folder, file), "x");
        }

        using (var folder = RunFolder.Open(_folder, "training", "output_dir"))
            Assert.Equal(3, folder.ClearLeftovers());
        Assert.Equal(
            kept.Order(StringComparer.Ordinal),
            Directory.GetFiles(_folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
                .Select(file => Path.GetRelativePath(_folder, file)).Order(StringComparer.Ordinal));
    }
}
