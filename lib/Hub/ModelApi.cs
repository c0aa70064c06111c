using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>The hub's API for repositories and accounts.</summary>
internal sealed class ModelApi(HubOptions options, HubHttp http)
{
    // Far above what is read here of any repository; sums of so many sizes stay within 64 bits.
    private const int MostPages = 1000;
    private const int MostFiles = 100_000;
    private const long MostFileBytes = 1L << 44;

    /// <summary>The commit that a revision means, and every file of it.</summary>
    public async Task<HubModelInfo> GetAsync(RepoId repo, string revision, CancellationToken cancellation)
    {
        var call = new HubCall(repo, revision);
        var (json, _) = await http.GetJsonAsync(
            options.Address($"api/{repo.ApiPath}/revision/{Uri.EscapeDataString(revision)}"), call, cancellation).ConfigureAwait(false);
        var commit = json.Find("sha")?.Text();
        if (!SafePath.IsCommit(commit))
            throw new HubException(
                HubErrorKind.Refused, $"{options.Endpoint.Host} does not say which commit '{revision}' of {repo} is. Check HF_ENDPOINT.");
        // False, or a text that says how access is granted.
        var gated = json.Find("gated") is { } value && (value.IsText || value.Truth());
        return new HubModelInfo(repo, commit!, gated, await FilesAsync(repo, commit!, call, cancellation).ConfigureAwait(false));
    }

    /// <summary>Who the token belongs to.</summary>
    public async Task<HubUser> WhoAmIAsync(CancellationToken cancellation)
    {
        var (json, _) = await http.GetJsonAsync(options.Address("api/whoami-v2"), new HubCall(), cancellation).ConfigureAwait(false);
        var organizations = json.Find("orgs")?.Items().Select(org => org.Find("name")?.Text()).OfType<string>().Select(SafePath.Show)
            .ToList() ?? [];
        var role = json.Find("auth")?.Find("accessToken")?.Find("role")?.Text();
        return new HubUser(
            SafePath.Show(json.Find("name")?.Text() ?? "(no name)"), organizations, role is null ? null : SafePath.Show(role));
    }

    private async Task<IReadOnlyList<HubFile>> FilesAsync(RepoId repo, string commit, HubCall call, CancellationToken cancellation)
    {
        var files = new List<HubFile>();
        Uri? page = options.Address($"api/{repo.ApiPath}/tree/{commit}?recursive=true");
        for (var pages = 0; page is not null; pages++)
        {
            if (pages == MostPages || files.Count > MostFiles)
                throw new HubException(
                    HubErrorKind.Refused,
                    $"The hub's list of files of {repo} does not end: {pages} pages, {files.Count} files. Check HF_ENDPOINT.");
            var (json, next) = await http.GetJsonAsync(page, call, cancellation).ConfigureAwait(false);
            foreach (var entry in json.Items().Where(entry => entry.Find("type")?.Text() == "file"))
                files.Add(ReadFile(repo, entry));
            page = next;
        }

        return files;
    }

    private static HubFile ReadFile(RepoId repo, JsonField entry)
    {
        var content = entry.Find("lfs") ?? entry;
        var (path, etag) = (entry.Get("path").Text(), content.Get("oid").Text());
        var bytes = content.Get("size").Whole(0, MostFileBytes);
        return path.Length <= SafePath.MostLength && SafePath.IsETag(etag)
            ? new HubFile(path, bytes, etag)
            : throw new HubException(
                HubErrorKind.Refused,
                $"The hub's list of files of {repo} is not as it should be at '{SafePath.Show(path)}'. Check HF_ENDPOINT.");
    }
}
