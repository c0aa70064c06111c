using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Tests.Training;

public sealed class StepLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lab-steps-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Append_Records_AreLinesOfJsonThatReadBackWhileOpen()
    {
        StepRecord[] records = [Record(1), Record(2) with { PriorLoss = 0.25, TextEncoderLr = 1e-4, Loss = double.NaN }];
        using var log = StepLog.Open(_folder);
        foreach (var record in records)
            log.Append(record);
        Assert.Equal(records, StepLog.Read(_folder));
        using var text = new StreamReader(
            new FileStream(Path.Combine(_folder, "steps.jsonl"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.Equal(
            """{"step":1,"epoch":0,"loss":0.5,"instance_loss":0.4,"learning_rate":0.0005,"grad_norm":1.5,"seconds":2,"images_per_second":4}""",
            text.ReadLine());
    }

    [Fact]
    public void Open_ResumedRun_DropsRecordsThatItWillWriteAgain()
    {
        Write(1, 2, 3, 4);
        using (var log = StepLog.Open(_folder, stepsDone: 2))
            log.Append(Record(3) with { Loss = 9 });
        Assert.Equal([(1, 0.5), (2, 0.5), (3, 9)], StepLog.Read(_folder).Select(record => (record.Step, record.Loss)));
    }

    [Fact]
    public void Open_FreshRun_ReplacesTheOldLog()
    {
        Write(1, 2);
        Write(1);
        Assert.Single(StepLog.Read(_folder));
    }

    [Fact]
    public void Read_TornLastLine_IsLeftOut()
    {
        Write(1, 2);
        File.AppendAllText(Path.Combine(_folder, StepLog.FileName), """{"step":3,"epo""");
        Assert.Equal([1, 2], StepLog.Read(_folder).Select(record => record.Step));
    }

    [Fact]
    public void Open_LineOfAnotherType_IsNamedAndTheLogStays()
    {
        Write(1, 2);
        var path = Path.Combine(_folder, StepLog.FileName);
        File.WriteAllText(path, File.ReadAllText(path).Replace("\"step\":2", "\"step\":\"two\"", StringComparison.Ordinal));
        var before = File.ReadAllText(path);
        var error = Assert.Throws<LabException>(() => StepLog.Open(_folder, 2)).Message;
        Assert.StartsWith($"{path}, line 2: step is \"two\"; valid is ", error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(path));
    }

    [Fact]
    public void Read_NoLog_IsEmpty() => Assert.Empty(StepLog.Read(_folder));

    private static StepRecord Record(int step) => new()
    {
        Step = step,
        Epoch = 0,
        Loss = 0.5,
        InstanceLoss = 0.4,
        LearningRate = 5e-4,
        GradNorm = 1.5,
        Seconds = 2,
        ImagesPerSecond = 4,
    };

    private void Write(params int[] steps)
    {
        using var log = StepLog.Open(_folder);
        foreach (var step in steps)
            log.Append(Record(step));
    }
}
