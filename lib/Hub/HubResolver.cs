using System.Diagnostics.CodeAnalysis;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// What a user's <c>--pretrained_model_name_or_path</c>, <c>--lora</c> and <c>--evaluation_dino</c> mean: a folder or file that is here,
/// else a repository of the hub (<c>owner/name</c>) or one file of it (<c>owner/name/file.safetensors</c>), which is downloaded where it is
/// not cached. Anything else is returned unchanged, and the loader reports it.
/// </summary>
/// <param name="options">Which hub, which cache; null for what the environment says.</param>
/// <param name="warn">Receives warnings; may be null.</param>
/// <param name="progress">Receives the progress of a download; may be null.</param>
public sealed class HubResolver(HubOptions? options = null, Action<string>? warn = null, IProgress<HubProgress>? progress = null)
{
    /// <summary>Finds a model.</summary>
    /// <param name="nameOrPath">A folder, a file, or a name on the hub.</param>
    /// <param name="revision">A branch, a tag or a commit of the hub's repository; null: main.</param>
    /// <param name="variant">The variant of the weights, such as fp16; null: the plain ones.</param>
    /// <param name="cancellation">Ends the download; what came is kept.</param>
    /// <returns>The folder or file on this machine.</returns>
    /// <exception cref="HubException">It is a name on the hub, and cannot be had from there.</exception>
    public string Model(string nameOrPath, string? revision = null, string? variant = null, CancellationToken cancellation = default) =>
        Resolve(nameOrPath, revision, HubContent.Pipeline, variant, cancellation);

    /// <summary>Finds a LoRA.</summary>
    /// <param name="nameOrPath">A file, a folder, or a name on the hub.</param>
    /// <param name="revision">A branch, a tag or a commit of the hub's repository; null: main.</param>
    /// <param name="cancellation">Ends the download; what came is kept.</param>
    /// <returns>The file or folder on this machine.</returns>
    /// <exception cref="HubException">It is a name on the hub, and cannot be had from there.</exception>
    public string Lora(string nameOrPath, string? revision = null, CancellationToken cancellation = default) =>
        Resolve(nameOrPath, revision, HubContent.Lora, null, cancellation);

    /// <summary>Finds an encoder of pictures, such as <c>facebook/dinov2-small</c> or <c>openai/clip-vit-large-patch14</c>.</summary>
    /// <param name="nameOrPath">A folder, or a name on the hub.</param>
    /// <param name="revision">A branch, a tag or a commit of the hub's repository; null: main.</param>
    /// <param name="cancellation">Ends the download; what came is kept.</param>
    /// <returns>The folder on this machine.</returns>
    /// <exception cref="HubException">It is a name on the hub, and cannot be had from there, or has no safetensors.</exception>
    public string Encoder(string nameOrPath, string? revision = null, CancellationToken cancellation = default) =>
        Resolve(nameOrPath, revision, HubContent.Encoder, null, cancellation);

    /// <summary>Finds the pictures of an image-folder dataset.</summary>
    /// <param name="nameOrPath">A folder, or <c>owner/name</c> on the hub.</param>
    /// <param name="part">The folder in it, by its path or the end of it; null for the one that has pictures.</param>
    /// <param name="revision">A branch, a tag or a commit of the hub's repository; null: main.</param>
    /// <param name="cancellation">Ends the download; what came is kept.</param>
    /// <returns>The folder of the pictures on this machine.</returns>
    /// <exception cref="HubException">
    /// It cannot be had from the hub, or its pictures are in no folder, or in several; the message says what to do.
    /// </exception>
    internal string Dataset(string nameOrPath, string? part, string? revision = null, CancellationToken cancellation = default)
    {
        if (Directory.Exists(nameOrPath))
        {
            var inside = new EnumerationOptions { RecurseSubdirectories = true };
            var files = Directory.EnumerateFiles(nameOrPath, "*", inside)
                .Select(file => Path.GetRelativePath(nameOrPath, file).Replace('\\', '/')).ToList();
            var local = DatasetSelection.Choose(files, part, nameOrPath);
            foreach (var note in local.Notes)
                warn?.Invoke(note);
            return Inside(nameOrPath, DatasetSelection.FolderOf(local.Files));
        }

        var repo = RepoId.TryParse($"datasets/{nameOrPath}", out var named) && named.IsDataset ? named : throw new HubException(
            HubErrorKind.RepoNotFound,
            $"There is no folder {ShownText.Line(nameOrPath)} here, and it is no name on the hub; valid is owner/name.");
        using var client = new HubClient(options, warn);
        var request = new HubDownloadRequest(repo) { Revision = revision ?? "main", Content = HubContent.Dataset, Part = part };
        var snapshot = Task.Run(() => client.DownloadAsync(request, progress, cancellation), CancellationToken.None).GetAwaiter()
            .GetResult();
        return Inside(snapshot.Folder, DatasetSelection.FolderOf(snapshot.Files));
    }

    /// <summary>
    /// Whether a text names something on the hub: it looks like <c>owner/name</c> or <c>owner/name/file.safetensors</c>, and neither it nor
    /// a folder with its first part is here.
    /// </summary>
    /// <param name="nameOrPath">Any text.</param>
    /// <param name="repo">The repository.</param>
    /// <param name="file">The one file of it, or null.</param>
    public static bool IsOnHub(string nameOrPath, [NotNullWhen(true)] out RepoId? repo, out string? file)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        (repo, file) = (null, null);
        if (Path.Exists(nameOrPath) || nameOrPath.StartsWith('.') || nameOrPath.StartsWith('~') || Path.IsPathRooted(nameOrPath))
            return false;
        var parts = nameOrPath.Split('/', 3);
        // data/sd3-mni where there is a folder data: a path with a slip, not a name; asking the hub would take half a minute.
        if (parts.Length == 2 && parts[1].EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || Directory.Exists(parts[0]))
            return false;
        if (parts.Length == 3 && (!SafePath.IsInside(parts[2]) || !parts[2].EndsWith(".safetensors", StringComparison.Ordinal)))
            return false;
        file = parts.Length == 3 ? parts[2] : null;
        return parts.Length >= 2 && RepoId.TryParse($"{parts[0]}/{parts[1]}", out repo);
    }

    private static string Inside(string folder, string path) =>
        path.Length == 0 ? folder : Path.Combine(folder, Path.Combine(path.Split('/')));

    private string Resolve(string nameOrPath, string? revision, HubContent content, string? variant, CancellationToken cancellation)
    {
        if (!IsOnHub(nameOrPath, out var repo, out var file))
        {
            if (revision is not null && Path.Exists(nameOrPath))
                warn?.Invoke($"revision has no effect: {nameOrPath} is here, and is not taken from the hub.");
            return nameOrPath;
        }

        using var client = new HubClient(options, warn);
        var request = new HubDownloadRequest(repo)
        {
            Revision = revision ?? "main",
            Variant = variant,
            Content = content,
            Include = file is null ? [] : [file],
        };
        try
        {
            // Never on a caller's synchronisation context, which may wait for us.
            var snapshot = Task.Run(() => client.DownloadAsync(request, progress, cancellation), CancellationToken.None).GetAwaiter()
                .GetResult();
            var single = file ?? (content == HubContent.Lora ? snapshot.Files[0] : null);
            return single is null ? snapshot.Folder : Path.Combine(snapshot.Folder, Path.Combine(single.Split('/')));
        }
        catch (HubException error)
        {
            throw new HubException(
                error.Kind, $"There is no file or folder {nameOrPath} here, so it is taken for a name on the hub. {error.Message}", error);
        }
    }
}
