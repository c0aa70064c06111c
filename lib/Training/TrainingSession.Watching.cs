using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Training;

/// <content>What follows a step: its record, checkpoints, pictures and what is seen in them, and the stop where a loss explodes.</content>
public sealed partial class TrainingSession
{
    // So many pictures of a step are compared with the photos and generated without the identifier.
    private const int MostWatched = 16;

    // Ranks other than 0 go on meanwhile, and wait for it in the next step.
    private void OnStep(StepRecord record, CancellationToken cancellation)
    {
        if (!Writes)
        {
            _events.OnStep?.Invoke(record);
            return;
        }

        using var busy = _collective?.Ranks.Busy();
        var last = record.Step == MaxSteps;
        record = record with { MemoryGib = _memory.Read() };
        if (_loss is not null && (record.Step == 1 || record.Step % Config.ValidationLossSteps == 0 || last))
            record = record with { ValidationLoss = _trainer.WithRoom(_loss.Measure) };
        var stops = _spike?.Add(record) == true;
        var looked = !stops && IsLookedAt(record.Step);
        if (looked)
            record = LookedAt(record, cancellation);
        _log!.Append(record);
        _board?.Add(record);
        if (stops)
            StopAt(record);
        if (record.Step % Config.CheckpointingSteps == 0)
            WriteCheckpoint();

        _events.OnStep?.Invoke(record);
        if (!looked && _pictures.IsDue(record.Step, record.Epoch, _trainer))
            GenerateAll(cancellation);
        if (last)
            _board?.End();
    }

    private void WriteCheckpoint()
    {
        var checkpoint = TrainingCheckpoint.Write(Config, _dataSha256, _output.StartedAt, _trainer, Adapter);
        _events.OnCheckpoint?.Invoke(checkpoint);
    }

    // They are in the folder; a million of them would not fit in memory.
    private void GenerateAll(CancellationToken cancellation)
    {
        foreach (var _ in GenerateEach(cancellation))
        {
        }
    }

    // Checkpoints of the spike would be the newest, from which a training is gone on with.
    private void StopAt(StepRecord record)
    {
        _events.OnStep?.Invoke(record);
        var goesBack = _spike!.GoBack();
        var last = goesBack ? StepsDone : _spike.First!.Value - 1;
        var there = TrainingCheckpoint.List(Config.OutputDir);
        foreach (var later in there.Where(other => other.Step > last && other.IsOf(_output.StartedAt)))
            later.Delete();
        if (goesBack)
            WriteCheckpoint();
        throw _spike.Error(
            record, goesBack ? Path.Combine(Config.OutputDir, $"{LoraCheckpoints.Prefix}{StepsDone}")
                : there.LastOrDefault(other => other.Step <= last && other.IsOf(Config, _dataSha256))?.Folder);
    }

    private IEnumerable<int> WatchedIndices => Enumerable.Range(0, Math.Min(MostWatched, Config.NumValidationImages));

    private bool IsWatched(int step) => Config.WatchSteps is { } every && (step % every == 0 || step == MaxSteps);

    private bool IsLookedAt(int step) => _scores?.IsDue(step, MaxSteps) == true || IsWatched(step);

    // A run that was ended while it scored a step left no figures of it, and the weights are again those after that step.
    private StepRecord? Unseen(IReadOnlyList<StepRecord> before) =>
        before is [.., var record] && record.Step == StepsDone && StepsDone > 0
        && ((_scores?.IsDue(StepsDone, MaxSteps) == true && record.Scores is null) || (IsWatched(StepsDone) && record.Watched is null))
            ? record : null;

    private void LookAgain(StepRecord record, CancellationToken cancellation)
    {
        record = LookedAt(record, cancellation);
        _log!.Dispose();
        _log = StepLog.Open(Config.OutputDir, StepsDone - 1);
        _log.Append(record);
        _board?.Add(record);
        _events.OnStep?.Invoke(record);
    }

    private StepRecord LookedAt(StepRecord record, CancellationToken cancellation)
    {
        if (_scores?.IsDue(record.Step, MaxSteps) == true)
            record = Scored(record, cancellation);
        else
            GenerateAll(cancellation);
        if (!IsWatched(record.Step) || cancellation.OrAmbient().IsCancellationRequested)
            return record;
        var watched = Watched(record.Step, cancellation);
        return cancellation.OrAmbient().IsCancellationRequested ? record : record with { Watched = watched };
    }

    private List<WatchedPicture> Watched(int step, CancellationToken cancellation)
    {
        foreach (var (index, image) in _without?.Make(step, _events.OnWarning, _trainer.WithRoom, cancellation) ?? [])
        {
            _board?.Add(step, $"without/{index:00}", image, _without!.PathOf(step, index));
            _events.OnPictureWithout?.Invoke(step, image);
        }

        var with = Nearest(index => _pictures.PathOf(step, index));
        var without = _without is null ? [] : Nearest(index => _without.PathOf(step, index));
        return
        [
            .. from index in WatchedIndices
               let own = with.GetValueOrDefault(index)
               let other = without.GetValueOrDefault(index)
               select new WatchedPicture(
                   index, Path.GetFileName(own.Photo), own.Match?.Similarity, own.Match?.IsCopy, Path.GetFileName(other.Photo),
                   other.Match?.Similarity)
               { Photo = own.Photo },
        ];
    }

    // By index; pictures that are left out are missing.
    private Dictionary<int, (string? Photo, NearestTrainingPicture? Match)> Nearest(Func<int, string> pathOf)
    {
        int[] indices = [.. WatchedIndices.Where(index => File.Exists(pathOf(index)))];
        if (_scores is null
            || _trainer.WithRoom(() => _scores.Nearest([.. indices.Select(index => ImageDecoder.Load(pathOf(index)))])) is not { } matches)
            return [];
        _photos ??= [.. PictureFolder.Read(Config.InstanceDataDir, Config.OnBadImage).Pictures.Select(photo => photo.Path)];
        return indices.Zip(matches).ToDictionary(
            pair => pair.First,
            pair => (_photos.ElementAtOrDefault(pair.Second.Index), (NearestTrainingPicture?)pair.Second));
    }

    // Means over fewer pictures than the others' are no point of the curve.
    private StepRecord Scored(StepRecord record, CancellationToken cancellation) =>
        _scores!.Measure(GenerateEach(cancellation), _trainer.WithRoom) is { } means && !cancellation.OrAmbient().IsCancellationRequested
            ? record with { Scores = means, Judge = _scores.Judge }
            : record;
}
