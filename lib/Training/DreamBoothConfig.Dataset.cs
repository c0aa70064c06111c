using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Training;

/// <content>Pictures of a dataset on the hub.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>
    /// An image-folder dataset whose pictures are trained on, in place of <see cref="InstanceDataDir"/>: <c>owner/name</c> on the hub, or a
    /// folder; null (the default): none. When it is found, <see cref="InstanceDataDir"/> is its folder. Flag <c>--dataset_name</c>.
    /// </summary>
    [Flag(
        DataGroup, "Dataset of picture files in place of instance_data_dir: owner/name on the hub, or a folder.", Placeholder = "NAME",
        DefaultText = "none")]
    public string? DatasetName { get; init; }

    /// <summary>
    /// The folder of <see cref="DatasetName"/> with the pictures, by its path or the end of it; null (the default): the one that has any.
    /// Flag <c>--dataset_config_name</c>.
    /// </summary>
    [Flag(
        DataGroup, "Folder of dataset_name with the pictures, by its path or the end of it.", Placeholder = "NAME",
        DefaultText = "the one that has pictures")]
    public string? DatasetConfigName { get; init; }

    /// <summary>The same with the folder of <see cref="DatasetName"/>, which is downloaded where it is not here.</summary>
    /// <param name="warn">Receives warnings; may be null.</param>
    /// <param name="progress">Receives the progress of a download; may be null.</param>
    /// <param name="offline">Whether only what is here counts.</param>
    /// <param name="cancellation">Ends the download; what came is kept.</param>
    /// <exception cref="HubException">It cannot be had, or is no dataset of picture files in one folder.</exception>
    internal DreamBoothConfig WithDataset(
        Action<string>? warn, IProgress<HubProgress>? progress, bool offline = false, CancellationToken cancellation = default)
    {
        // Found before, as by the run whose recipe this is.
        if (DatasetName is null || (InstanceDataDir.Length > 0 && Directory.Exists(InstanceDataDir)))
            return this;
        var options = HubOptions();
        var hub = new HubResolver(offline ? options with { Offline = true } : options, warn, progress);
        return this with { InstanceDataDir = hub.Dataset(DatasetName, DatasetConfigName, CommitOf(InstanceDataDir), cancellation) };
    }

    private IEnumerable<string> DatasetErrors()
    {
        if (DatasetName is null)
            yield break;
        if (Subjects is not null)
            yield return "subjects goes without dataset_name: the file has the folder of each subject.";
        if (!Directory.Exists(DatasetName) && !(RepoId.TryParse($"datasets/{DatasetName}", out var repo) && repo.IsDataset))
        {
            yield return $"dataset_name is '{ShownText.Line(DatasetName)}'; valid is owner/name of a dataset on the hub, or a folder that "
                + "is here.";
        }
        else if (InstanceDataDir.Length > 0 && !IsOfDataset(InstanceDataDir, DatasetName))
        {
            yield return "dataset_name and instance_data_dir are both given; choose one.";
        }
    }

    private static bool IsOfDataset(string folder, string dataset)
    {
        var path = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        var own = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataset)) + Path.DirectorySeparatorChar;
        return RepoId.TryParse($"datasets/{dataset}", out var repo) && !Directory.Exists(dataset)
            ? path.Split(Path.DirectorySeparatorChar).Contains(repo.FolderName, StringComparer.Ordinal)
            : path.StartsWith(own, StringComparison.Ordinal);
    }

    // A recipe names the folder of one commit; where that is not here any more, the same commit is downloaded again.
    private static string? CommitOf(string folder) => folder.Split('/', '\\').FirstOrDefault(SafePath.IsCommit);
}
