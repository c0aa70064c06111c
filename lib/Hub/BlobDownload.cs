namespace Dreambooth.Lab.Hub;

/// <summary>
/// Downloads one file's content into the cache. Received bytes are stored in order in <c>ETAG.incomplete</c>, as huggingface_hub does, so
/// that either program can continue the other's download; the file is renamed only when its hash is right.
/// </summary>
internal sealed class BlobDownload(HubCache cache, RepoId repo, HubFile file, RangeReader reader, ProgressMeter meter)
{
    private static readonly int[] DiskFullCodes = [28, unchecked((int)0x80070070), unchecked((int)0x80070027)];

    private readonly string _blob = cache.BlobOf(repo, file.ETag);

    private string Incomplete => _blob + ".incomplete";

    /// <summary>Bytes of a file that an earlier run left.</summary>
    public static long Begun(HubCache cache, RepoId repo, HubFile file) =>
        new FileInfo(cache.BlobOf(repo, file.ETag) + ".incomplete") is { Exists: true } begun && begun.Length <= file.Size
            ? begun.Length
            : 0;

    /// <summary>Removes what an earlier run left of a file.</summary>
    public static void Forget(HubCache cache, RepoId repo, HubFile file) => File.Delete(cache.BlobOf(repo, file.ETag) + ".incomplete");

    /// <summary>Downloads it. The caller holds the blob's lock.</summary>
    /// <exception cref="HubException">
    /// The file cannot be had, is damaged, or the disk is full; what came is kept where it is right so far.
    /// </exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_blob)!);
        while (true)
        {
            var (etag, resumed) = await FetchAsync(cancellation).ConfigureAwait(false);
            if (etag == file.ETag)
                break;
            File.Delete(Incomplete);
            meter.Skip(-file.Size);
            // What an earlier run left may be wrong; a download from the start must be right.
            if (resumed == 0)
                throw new HubException(
                    HubErrorKind.Damaged,
                    $"{file.Path} of {repo} arrived damaged: its hash is {etag} instead of {file.ETag}. It was thrown away; run again. If "
                    + "it stays so, something between here and the hub changes files.");
        }

        File.Move(Incomplete, _blob, overwrite: true);
    }

    private async Task<(string ETag, long Resumed)> FetchAsync(CancellationToken cancellation)
    {
        using var hash = new BlobHash(file.ETag.Length, file.Size);
        await using var stream = new FileStream(Incomplete, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 0);
        if (stream.Length > file.Size)
            stream.SetLength(0);
        var resumed = hash.Append(stream, cancellation);
        meter.Skip(resumed);
        try
        {
            await reader.CopyAsync(resumed, bytes =>
            {
                stream.Write(bytes);
                hash.Append(bytes);
            }, cancellation).ConfigureAwait(false);
        }
        catch (IOException error) when (DiskFullCodes.Contains(error.HResult))
        {
            throw new HubException(
                HubErrorKind.DiskFull,
                $"The disk of {cache.Folder} is full. Free some space and run again: what is downloaded is kept. HF_HUB_CACHE puts the "
                + "cache elsewhere.", error);
        }

        return (hash.Finish(), resumed);
    }
}
