using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The file of a run's step records, <c>steps.jsonl</c> in its output folder: one line per optimizer step, in the file as soon as
/// the step is done.
/// </summary>
public sealed class StepLog : IDisposable
{
    /// <summary>The name of the file in the output folder.</summary>
    public const string FileName = "steps.jsonl";

    private readonly StreamWriter _writer;

    private StepLog(string path) =>
        _writer = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read), new UTF8Encoding(false))
        {
            NewLine = "\n",
            AutoFlush = true,
        };

    /// <summary>Opens the log of a run and drops the records of steps that will be repeated.</summary>
    /// <param name="outputDir">The run's output folder; created when missing.</param>
    /// <param name="stepsDone">Step that the run continues from: records up to it stay. 0: a fresh run, an old log is replaced.</param>
    public static StepLog Open(string outputDir, int stepsDone = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stepsDone);
        var path = Path.Combine(outputDir, FileName);
        var kept = stepsDone == 0 ? [] : Read(path).Where(record => record.Step <= stepsDone);
        AtomicFile.WriteAllText(path, JsonLines.Text(kept));
        return new StepLog(path);
    }

    /// <summary>Reads the records of a log, also of a running run; incomplete lines are skipped.</summary>
    /// <param name="path">The file, or the output folder it lies in; none there: no records.</param>
    /// <exception cref="LabException">A line is whole, but a field of it is missing or of another type.</exception>
    public static IReadOnlyList<StepRecord> Read(string path) =>
        [.. JsonLines.Read<StepRecord>(Directory.Exists(path) ? Path.Combine(path, FileName) : path)];

    /// <summary>Appends one record.</summary>
    /// <param name="record">The step that was done.</param>
    public void Append(StepRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        _writer.WriteLine(JsonLines.Line(record));
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();
}
