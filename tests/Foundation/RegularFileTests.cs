using System.Diagnostics;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Foundation;

public sealed class RegularFileTests : IDisposable
{
    private static readonly Dictionary<string, Action<string>> Readers = new()
    {
        ["recipe"] = path => DreamBoothConfig.Read(path),
        ["json"] = path => JsonFile.Read<DreamBoothDatasetOptions>(path),
        ["weights"] = path => SafetensorsFile.Open(path).Dispose(),
        ["lora"] = path => SweepRunner.Hash(path),
        ["picture"] = path => ImageDecoder.Load(path),
        ["sentence pieces"] = path => SentencePieceModel.Read(path),
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("lab-regular-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string> Names => [.. Readers.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Require_PipeDeviceAndEmptyFile_AreRefusedWithoutWaiting(string reader)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        var (pipe, link, empty) = (Path.Combine(_folder, "pipe"), Path.Combine(_folder, "link"), Path.Combine(_folder, "empty"));
        using (var make = Process.Start("mkfifo", pipe))
            await make.WaitForExitAsync();
        File.CreateSymbolicLink(link, "/dev/zero");
        File.WriteAllText(empty, string.Empty);
        foreach (var path in new[] { pipe, link, "/dev/zero", empty })
        {
            var error = await Assert.ThrowsAnyAsync<LabException>(
                () => Task.Run(() => Readers[reader](path)).WaitAsync(TimeSpan.FromSeconds(60)));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
            Assert.Contains("It has no content: it is empty, or a pipe or a device and no regular file.", error.Message,
                StringComparison.Ordinal);
        }
    }

    // A folder may hold a LoRA.
    [Fact]
    public void Require_Folder_IsCalledOne() => Assert.All(Readers.Where(reader => reader.Key != "lora"), reader => Assert.Contains(
        "It is a folder, and a file is needed.", Assert.ThrowsAny<LabException>(() => reader.Value(_folder)).Message,
        StringComparison.Ordinal));

    [Fact]
    public async Task Read_LogThatIsAPipe_HasNoRecords()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes in folders.");
        foreach (var name in new[] { StepLog.FileName, SweepLog.FileName })
        {
            using var make = Process.Start("mkfifo", Path.Combine(_folder, name));
            await make.WaitForExitAsync();
        }

        Assert.Empty(await Task.Run(() => StepLog.Read(_folder)).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Empty(await Task.Run(() => SweepLog.Read(_folder)).WaitAsync(TimeSpan.FromSeconds(60)));
    }
}
