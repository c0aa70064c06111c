using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <summary><c>run.json</c> in a training's output folder: how far it is, and what it learns from.</summary>
internal sealed record RunRecord
{
    public const string FileName = "run.json";

    private const int LongestMessage = 4000;

    /// <summary>How far it is; of a process that was killed, what it was last.</summary>
    public required RunState State { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int MaxSteps { get; init; }

    /// <summary>When its first step began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When it ended, however; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>The error that ended it; null for none.</summary>
    public string? Message { get; init; }

    /// <summary>Fingerprint of the pictures and prompts, see <see cref="DataFingerprint"/>.</summary>
    public required string DataSha256 { get; init; }

    /// <summary>The instance pictures.</summary>
    public required IReadOnlyList<RunPicture> Pictures { get; init; }

    /// <summary>Reads it.</summary>
    /// <param name="folder">A training's output folder.</param>
    /// <returns>Null where there is none, as of trainings that ended before it was written, or it is damaged.</returns>
    public static RunRecord? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return File.Exists(path) ? JsonFile.Read<RunRecord>(path) : null;
        }
        catch (LabException)
        {
            return null;
        }
    }

    /// <summary>What a training has before its first step, or goes on from.</summary>
    public static RunRecord Of(DreamBoothDataset dataset, string dataSha256, int maxSteps, DateTimeOffset startedAt) => new()
    {
        State = RunState.Running,
        MaxSteps = maxSteps,
        StartedAt = startedAt,
        DataSha256 = dataSha256,
        Pictures = PicturesOf(dataset),
    };

    /// <summary>The instance pictures of a training, in their order.</summary>
    public static IReadOnlyList<RunPicture> PicturesOf(DreamBoothDataset dataset) =>
    [
        .. from subject in dataset.Subjects
           from picture in subject.Folder.Pictures
           select new RunPicture(
               Path.GetRelativePath(subject.Subject.InstanceDataDir, picture.Path).Replace('\\', '/'), FileHash.Sha256(picture.Path),
               subject.Captions.Of(picture.Path).Text),
    ];

    /// <summary>The same, ended.</summary>
    public RunRecord Ended(RunState state, string? message) =>
        this with
        {
            State = state,
            EndedAt = DateTimeOffset.UtcNow,
            Message = message is null ? null : ShownText.Cut(message, LongestMessage),
        };

    /// <summary>Writes it.</summary>
    public void Write(string folder) => JsonFile.Write(Path.Combine(folder, FileName), this);
}

/// <summary>A picture that a training learns from.</summary>
/// <param name="Name">Its path in the folder of instance pictures.</param>
/// <param name="Sha256">Of the file.</param>
/// <param name="Caption">Its own prompt; null for the instance prompt.</param>
internal sealed record RunPicture(string Name, string Sha256, string? Caption);
