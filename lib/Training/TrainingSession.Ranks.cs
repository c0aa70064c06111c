using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Native;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <content>
/// A training of several ranks: N ranks that accumulate G micro-batches each take the steps of one that accumulates G × N. Rank 0 alone
/// writes and generates; all keep the same parameters, because all take the same optimizer steps from the same sums.
/// </content>
public sealed partial class TrainingSession
{
    private readonly ICollective? _collective;
    private IDisposable? _preparing;

    private bool Writes => _collective?.Ranks.IsFirst != false;

    /// <summary>A whole training as one of several ranks.</summary>
    /// <param name="config">The same on all; the accumulation is each rank's.</param>
    /// <param name="ranks">The ranks; null for a training by itself.</param>
    /// <param name="events">Callbacks, or null.</param>
    /// <param name="cancellation">Ends the run on all ranks, after the same step.</param>
    /// <returns>How it ended, equal on all ranks.</returns>
    /// <exception cref="RankFailureException">
    /// Another rank ended, hangs or failed. Rank 0 then has written a checkpoint of the steps done; where rank 0 itself is lost, the last
    /// of <c>checkpointing_steps</c> stays.
    /// </exception>
    /// <exception cref="LabException">As in <see cref="Train(DreamBoothConfig, TrainingEvents?, CancellationToken)"/>.</exception>
    internal static TrainingSummary Train(
        DreamBoothConfig config, Rendezvous? ranks, TrainingEvents? events, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        if (ranks is not null)
            config = OverAll(config, ranks.Count);
        var device = DeviceSelection.Parse(config.Device);
        using var preparing = ranks?.Busy();
        config = WithDataset(config, ranks, events, cancellation);
        using var output = Open(ref config, ranks, events);
        if (output.FinishedSteps is { } steps)
        {
            // Pictures that were added would be ignored without a word.
            if (DataFingerprint.HasChanged(config, output.Checkpoint!.State!.DataSha256))
                throw output.Checkpoint.OtherData();
            return new TrainingSummary(steps, false, 0) { WasFinished = true };
        }

        output.Checkpoint?.CheckSettings(config);
        if (ranks?.IsFirst == false)
            config = OfFollower(config);

        // Errors in the pictures and in what judges are found before a model is downloaded and loaded.
        var instances = ReadInstances(config, events);
        using var scores = ValidationScores.Open(config, events);
        events?.OnStage?.Invoke($"Loading {config.PretrainedModelNameOrPath}");
        DownloadOnce(config, ranks, events, cancellation);
        config = output.Seeded(config);
        if (ranks?.IsFirst != false)
            MakeClassPicturesInOwnPrecision(config, events, cancellation);
        using var pipeline = LoadPipeline(config, events, cancellation);
        using var collective = ranks is null ? null : ICollective.Open(ranks, device);
        using var session = PrepareIn(output, config, pipeline, events, instances, scores, collective, cancellation);
        session._preparing = preparing;
        if (config.ValidationPrompt is null)
            pipeline.Prompts.UnloadT5();
        var summary = session.KeepingSteps(() => session.Run(cancellation: cancellation));
        session.TellIfRanksDrifted();
        return summary;
    }

    // What is checked, compared and stored is the accumulation over all ranks: a checkpoint then fits any number of them.
    private static DreamBoothConfig OverAll(DreamBoothConfig config, int ranks)
    {
        var all = (long)config.GradientAccumulationSteps * ranks;
        if (all > int.MaxValue)
            throw new UsageException($"gradient_accumulation_steps, {config.GradientAccumulationSteps}, times {ranks} ranks is too much.");
        config = config with { GradientAccumulationSteps = (int)all };
        config.Validate();
        return config;
    }

    // What only rank 0 does. None of it changes a step.
    private static DreamBoothConfig OfFollower(DreamBoothConfig config) =>
        config with { ValidationPrompt = null, ValidationLossSteps = null, EvaluationSteps = null, WatchSteps = null, StopOnSpike = false };

    // Rank 0 locks the folder and finds the checkpoint; the others take it as it says.
    private static TrainingOutput Open(ref DreamBoothConfig config, Rendezvous? ranks, TrainingEvents? events)
    {
        if (ranks?.IsFirst == false)
        {
            var start = JsonSerializer.Deserialize<Start>(ranks.Broadcast(null))!;
            var followed = TrainingOutput.Follow(config with { Seed = start.Seed }, start.Checkpoint);
            config = followed.Config;
            return followed;
        }

        var output = TrainingOutput.Open(config, events?.OnWarning);
        config = output.Config;
        if (ranks is null)
            return output;
        try
        {
            var folder = output.Checkpoint is { } checkpoint ? Path.GetFullPath(checkpoint.Folder) : null;
            config = output.Seeded(config);
            ranks.Broadcast(JsonSerializer.SerializeToUtf8Bytes(new Start(folder, config.Seed!.Value)));
            return output;
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    // Rank 0 downloads; the others find the pictures in the cache.
    private static DreamBoothConfig WithDataset(
        DreamBoothConfig config, Rendezvous? ranks, TrainingEvents? events, CancellationToken cancellation)
    {
        if (config.DatasetName is null)
            return config;
        if (ranks?.IsFirst != false)
            config = config.WithDataset(events?.OnWarning, events?.OnDownload, cancellation: cancellation);
        ranks?.Barrier();
        return config.WithDataset(null, null, offline: true, cancellation);
    }

    // The others find the model in the cache.
    private static void DownloadOnce(DreamBoothConfig config, Rendezvous? ranks, TrainingEvents? events, CancellationToken cancellation)
    {
        if (ranks is null)
            return;
        if (ranks.IsFirst)
        {
            new HubResolver(config.HubOptions(), events?.OnWarning, events?.OnDownload).Model(
                config.PretrainedModelNameOrPath, config.Revision, config.Variant, cancellation);
        }

        ranks.Barrier();
    }

    // Ranks that begin differently would drift apart without a word.
    private void CheckThatAllBeginAlike()
    {
        if (_collective?.Ranks is not { } ranks)
            return;
        var own = $"step {StepsDone} of {MaxSteps}, data {_dataSha256}, parameters {ParametersSha256()}";
        if (Different(ranks, own) is (var rank, var state))
        {
            ranks.End(
                $"Rank {rank} begins with {state}, and rank 0 with {own}. All ranks must see the same model, pictures and checkpoint.");
        }

        ranks.Barrier();
    }

    // Equal sums and equal steps keep parameters equal to the bit; devices of different kinds may not.
    private void TellIfRanksDrifted()
    {
        if (_collective?.Ranks is not { } ranks)
            return;
        if (Different(ranks, ParametersSha256()) is (var rank, _))
            _events.OnWarning?.Invoke($"Rank {rank} ended with other parameters than rank 0, whose were saved. Use GPUs of one kind.");
        ranks.Barrier();
    }

    // On rank 0, a rank that says another thing.
    private static (int Rank, string State)? Different(Rendezvous ranks, string own)
    {
        var all = ranks.Gather(Encoding.UTF8.GetBytes(own)).Select(Encoding.UTF8.GetString).ToList();
        return all.FindIndex(other => other != own) is > 0 and var odd ? (odd, all[odd]) : null;
    }

    private string ParametersSha256()
    {
        using var scope = NewDisposeScope();
        return Convert.ToHexString(SHA256.HashData(Adapter.Parameters.cpu().bytes));
    }

    // Where ranks are ended from outside or lose one, the next start goes on from here.
    private void KeepForTheNextStart()
    {
        if (_collective is null || !Writes || StepsDone == 0 || IsFinished || StepsDone % Config.CheckpointingSteps == 0)
            return;
        WriteCheckpoint();
    }

    private sealed record Start(string? Checkpoint, long Seed);
}
