using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>The record of the run in its output folder, <c>run.json</c>.</content>
public sealed partial class TrainingSession
{
    private RunRecord? _record;
    private string? _failure;

    private void BeginRecord()
    {
        var earlier = StepsDone > 0 ? RunRecord.Read(Config.OutputDir) : null;
        _record = RunRecord.Of(Dataset, _dataSha256, MaxSteps, earlier?.StartedAt ?? DateTimeOffset.UtcNow);
        _record.Write(Config.OutputDir);
    }

    private T NotingFailure<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            _failure = error.Message;
            throw;
        }
    }

    // What cannot be written, as on a full disk, must not hide the error that ended the run.
    private void EndRecord()
    {
        if (_record is null)
            return;
        var state = _failure is not null ? RunState.Failed : IsFinished ? RunState.Finished : RunState.Interrupted;
        LockFile.Try(() => _record.Ended(state, _failure).Write(Config.OutputDir));
    }
}
