using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class SweepLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-sweep-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Append_Records_AreReadBackAsTheyWere()
    {
        var record = Record("000_a/img_00.png") with
        {
            Item = new SweepItem
            {
                Prompt = "a \"cat\"\nDalí 猫",
                Seed = ulong.MaxValue,
                Lora = "l",
                LoraScale = 0.25,
                Guidance = 4,
                Steps = 2,
                Width = 32,
                Column = "c",
            },
            Scores = new Dictionary<string, double> { ["fidelity"] = 0.5, ["odd"] = double.NaN },
            Model = "m",
            LoraSha256 = "ab",
        };
        SweepLog.Append(_folder, [record]);
        var read = Assert.Single(SweepLog.Read(_folder));
        Assert.Equal(record with { Scores = null }, read with { Scores = null });
        Assert.Equal(record.Scores!, read.Scores!);
        Assert.Contains(
            "\"settings\":{\"prompt\":\"a \\\"cat\\\"\\nDalí 猫\"", File.ReadAllText(Path.Combine(_folder, SweepLog.FileName)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Append_AfterHalfALine_KeepsEveryWholeRecord()
    {
        SweepLog.Append(_folder, [Record("a.png")]);
        File.AppendAllText(Path.Combine(_folder, SweepLog.FileName), "{\"path\":\"b.p");
        SweepLog.Append(_folder, [Record("c.png")]);
        Assert.Equal(["a.png", "c.png"], SweepLog.Read(_folder).Select(record => record.Path));
    }

    [Fact]
    public void Read_SamePictureTwice_GivesTheLast()
    {
        SweepLog.Append(_folder, [Record("a.png"), Record("b.png"), Record("a.png") with { Seconds = 9 }]);
        Assert.Equal([("a.png", 9.0), ("b.png", 1.0)], SweepLog.Read(_folder).Select(record => (record.Path, record.Seconds)));
    }

    [Fact]
    public void Read_NoFile_IsEmpty() => Assert.Empty(SweepLog.Read(Path.Combine(_folder, "none")));

    private static SweepResult Record(string path) => new() { Path = path, Item = new SweepItem { Prompt = "p" }, Seconds = 1 };
}
