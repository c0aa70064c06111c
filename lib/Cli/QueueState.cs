using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>queue.json</c> beside a queue's file: what became of each training, by its output folder.</summary>
internal sealed class QueueState
{
    public const string FileName = "queue.json";

    private readonly string _path;
    private readonly Dictionary<string, QueueRecord> _runs;

    private QueueState(string path, Dictionary<string, QueueRecord> runs) => (_path, _runs) = (path, runs);

    /// <summary>Opens it; a new one where there is none.</summary>
    /// <param name="folder">The folder of the queue's file.</param>
    /// <exception cref="LabException">It is damaged.</exception>
    public static QueueState Open(string folder)
    {
        var path = Path.Combine(folder, FileName);
        return new QueueState(path, File.Exists(path) ? JsonFile.Read<Dictionary<string, QueueRecord>>(path) : []);
    }

    /// <summary>What is known of a training; null for one that was never started.</summary>
    public QueueRecord? Of(QueueEntry entry) => _runs.GetValueOrDefault(entry.Config.OutputDir);

    /// <summary>Notes what became of a training; the file is whole at every time.</summary>
    public void Set(QueueEntry entry, QueueRecord record)
    {
        _runs[entry.Config.OutputDir] = record;
        JsonFile.Write(_path, _runs);
    }

    /// <summary>Forgets a training, which is to be done anew.</summary>
    public void Forget(QueueEntry entry)
    {
        if (_runs.Remove(entry.Config.OutputDir))
            JsonFile.Write(_path, _runs);
    }
}

/// <summary>What became of a training of a queue.</summary>
/// <param name="State">How far it is; one that runs no more though it says so was killed.</param>
/// <param name="StartedAt">When it was started last.</param>
/// <param name="EndedAt">When it ended; null while it runs.</param>
/// <param name="Message">The error that ended it; null for none.</param>
/// <param name="Recipe">What it was started with.</param>
internal sealed record QueueRecord(RunState State, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, string? Message, JsonNode Recipe)
{
    /// <summary>The options that are not what they were, a phrase each.</summary>
    /// <param name="config">What the line says now.</param>
    public IReadOnlyList<string> Changes(DreamBoothConfig config)
    {
        try
        {
            var earlier = DreamBoothConfig.FromJson(Recipe.ToJsonString(), QueueState.FileName, _ => { });
            return [.. RunDifference.Options(earlier, config).Select(option => $"{option.Name} was {option.First} and is {option.Second}")];
        }
        catch (LabException error)
        {
            return [error.Message]; // Of another version of the program.
        }
    }
}
