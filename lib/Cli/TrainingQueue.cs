using System.Diagnostics;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Planning;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// Trainings one after another, each a process of its own, so that one that crashes ends no other. What is done is not done again, what
/// was interrupted goes on, and what fails is noted. <c>queue.json</c> and <c>queue.html</c> lie beside the queue's file.
/// </summary>
/// <param name="file">The queue's file.</param>
/// <param name="entries">The trainings.</param>
/// <param name="session">Where to say what is done; its cancellation ends the training at hand and the queue.</param>
/// <param name="train">Does one training.</param>
internal sealed class TrainingQueue(
    string file, IReadOnlyList<QueueEntry> entries, Session session, TrainingQueue.Training train)
{
    /// <summary>Does one training.</summary>
    /// <param name="config">What it does.</param>
    /// <param name="meanwhile">Called again and again while it runs.</param>
    /// <returns>One of <see cref="ExitCode"/>, and the error that ended it; null for none.</returns>
    internal delegate (int Code, string? Message) Training(DreamBoothConfig config, Action meanwhile);

    // The page is written no more often, and takes at most a twentieth of the time.
    private static readonly TimeSpan PageInterval = TimeSpan.FromSeconds(10);
    private const int PageShare = 20;
    private static readonly TimeSpan OrphanPatience = TimeSpan.FromMinutes(2);

    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
    private readonly Stopwatch _sincePage = new();
    private QueueState? _state;
    private TimeSpan _pageTime;

    private string Page => Path.Combine(_folder, QueuePage.FileName);

    /// <summary>Does all that is not done.</summary>
    /// <returns>0 where all are finished, 1 where one failed, 130 where it was cancelled.</returns>
    /// <exception cref="LabException">Another queue runs in the folder, or something would stop a training: none is started.</exception>
    public int Run()
    {
        using var held = RunFolder.Open(_folder, "queue", "--queue");
        _state = QueueState.Open(_folder);
        foreach (var entry in entries)
        {
            if (_state.Of(entry) is { State: RunState.Running } killed)
                _state.Set(entry, killed with { State = RunState.Interrupted }); // With the queue that ran it.
        }

        var plans = entries.Select(Plan).ToList();
        foreach (var plan in plans)
            session.Output.WriteLine(plan.Says);
        CheckAll(plans);
        foreach (var plan in plans.Where(plan => !plan.IsDone && _state.Of(plan.Entry)?.State == RunState.Finished))
            _state.Forget(plan.Entry);
        WritePage(isRunning: true);
        session.Output.WriteLine($"All of it on one page: {Page}");
        foreach (var plan in plans.Where(plan => !plan.IsDone))
        {
            if (session.Cancellation.IsCancellationRequested)
                break;
            Do(plan);
        }

        WritePage(isRunning: false);
        return Summarize();
    }

    private QueuePlan Plan(QueueEntry entry)
    {
        var title = $"{entry.Name} (line {entry.Line})";
        var again = entry.Config with { ResumeFromCheckpoint = TrainingCheckpoint.Latest };
        if (_state!.Of(entry) is not { } record)
            return new(entry, entry.Config, $"{title}: to be trained");
        var changes = record.Changes(entry.Config);
        if (changes.Count > 0)
            return new(entry, entry.Config, $"{title}: its line has changed, so that it is trained anew: {string.Join("; ", changes)}");
        if (record.State == RunState.Finished && File.Exists(Path.Combine(entry.Config.OutputDir, LoraFile.DefaultName)))
        {
            return LearnedFromOthers(entry.Config)
                ? new(entry, entry.Config, $"{title}: its pictures or captions have changed, so that it is trained anew")
                : new(entry, entry.Config, $"{title}: finished by an earlier run") { IsDone = true };
        }

        if (record.State == RunState.Finished)
            return new(entry, entry.Config, $"{title}: its LoRA is gone, so that it is trained anew");
        var was = record.State == RunState.Failed ? "failed" : "was interrupted";
        return TrainingCheckpoint.List(entry.Config.OutputDir).Count > 0 && TrainingOutput.Refuses(again) is null
            ? new(entry, again, $"{title}: {was}, goes on from its last checkpoint")
            : new(entry, entry.Config, $"{title}: {was}, begins anew");
    }

    private static bool LearnedFromOthers(DreamBoothConfig config) =>
        RunRecord.Read(config.OutputDir) is { } run && DataFingerprint.HasChanged(config, run.DataSha256);

    // Of what may change until a training's turn, such as free memory, nothing is said here.
    private static void CheckAll(IEnumerable<QueuePlan> plans)
    {
        var problems = (from plan in plans
                        where !plan.IsDone
                        from check in Preflight.Check(plan.Config)
                        where check.Status == PreflightStatus.Problem && check.Subject != "memory"
                        select $"line {plan.Entry.Line}: {check.Subject}: {check.Message.TrimEnd()}").ToList();
        if (problems.Count > 0)
            throw new LabException($"Nothing is started, since trainings of the queue could not be done.\n{string.Join('\n', problems)}");
    }

    private void Do(QueuePlan plan)
    {
        AwaitOrphan(plan);
        session.Output.WriteLine();
        session.Output.WriteLine($"== {plan.Entry.Name} (line {plan.Entry.Line} of {Path.GetFileName(file)})");
        var record = new QueueRecord(
            RunState.Running, DateTimeOffset.UtcNow, null, null, JsonNode.Parse(plan.Entry.Config.ToJson())!);
        _state!.Set(plan.Entry, record);
        WritePage(isRunning: true);
        var (code, message) = train(plan.Config, Meanwhile);
        var state = code switch
        {
            ExitCode.Success => RunState.Finished,
            ExitCode.Cancelled => RunState.Interrupted,
            _ => RunState.Failed,
        };
        _state.Set(plan.Entry, record with { State = state, EndedAt = DateTimeOffset.UtcNow, Message = message });
        WritePage(isRunning: true);
        if (state == RunState.Failed)
            session.Warn($"{plan.Entry.Name} failed; the queue goes on.");
    }

    // A queue that was killed leaves a training that is ending.
    private void AwaitOrphan(QueuePlan plan)
    {
        if (!RunFolder.IsHeld(plan.Config.OutputDir))
            return;
        session.Output.WriteLine($"Waiting for the training that still holds {plan.Config.OutputDir}");
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < OrphanPatience && RunFolder.IsHeld(plan.Config.OutputDir);)
        {
            if (session.Cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(200)))
                return;
        }
    }

    private void Meanwhile()
    {
        if (_sincePage.Elapsed > PageInterval && _sincePage.Elapsed > PageShare * _pageTime)
            WritePage(isRunning: true);
    }

    private void WritePage(bool isRunning)
    {
        var clock = Stopwatch.StartNew();
        try
        {
            new QueuePage(file, entries, _state!, isRunning).Build().Save(Page);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or LabException)
        {
            // The page is a view: the trainings go on without it, and the next one may be written.
            session.Warn($"The page {Page} could not be written: {error.Message}");
        }

        _pageTime = clock.Elapsed;
        _sincePage.Restart();
    }

    private int Summarize()
    {
        var states = entries.Select(entry => (entry.Name, Record: _state!.Of(entry))).ToList();
        int Count(RunState state) => states.Count(each => each.Record?.State == state);
        session.Output.WriteLine();
        session.Output.WriteLine(
            $"{Count(RunState.Finished)} of {entries.Count} trainings finished, {Count(RunState.Failed)} failed, "
            + $"{entries.Count - Count(RunState.Finished) - Count(RunState.Failed)} not done. The page: {Page}");
        foreach (var (name, record) in states.Where(each => each.Record?.State == RunState.Failed))
            session.Error.WriteLine($"{name} failed: {record!.Message}");
        return session.Cancellation.IsCancellationRequested ? ExitCode.Cancelled
            : Count(RunState.Finished) == entries.Count ? ExitCode.Success : ExitCode.Failure;
    }
}

/// <summary>What is done with a training of a queue.</summary>
/// <param name="Entry">The training.</param>
/// <param name="Config">What it is started with: it may go on from a checkpoint.</param>
/// <param name="Says">In words.</param>
internal sealed record QueuePlan(QueueEntry Entry, DreamBoothConfig Config, string Says)
{
    /// <summary>Whether nothing is left to do.</summary>
    public bool IsDone { get; init; }
}
