using System.Text.Json;

namespace Dreambooth.Lab.Hub;

/// <summary>What the hub's API says of models and accounts.</summary>
internal sealed class ModelApi(HubOptions options, HubHttp http)
{
    /// <summary>The commit that a revision means, and every file of it.</summary>
    public async Task<HubModelInfo> GetAsync(RepoId repo, string revision, CancellationToken cancellation)
    {
        var call = new HubCall(repo, revision);
        var (json, _) = await http.GetJsonAsync(options.Address($"api/models/{repo}/revision/{Uri.EscapeDataString(revision)}"), call, cancellation).ConfigureAwait(false);
        using (json)
        {
            var commit = Text(json.RootElement, "sha");
            if (!SafePath.IsCommit(commit))
                throw new HubException(HubErrorKind.Refused, $"{options.Endpoint.Host} does not say which commit '{revision}' of {repo} is. Check HF_ENDPOINT.");
            var gated = json.RootElement.TryGetProperty("gated", out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.True;
            return new HubModelInfo(repo, commit!, gated, await FilesAsync(repo, commit!, call, cancellation).ConfigureAwait(false));
        }
    }

    /// <summary>Who the token belongs to.</summary>
    public async Task<HubUser> WhoAmIAsync(CancellationToken cancellation)
    {
        var (json, _) = await http.GetJsonAsync(options.Address("api/whoami-v2"), new HubCall(), cancellation).ConfigureAwait(false);
        using (json)
        {
            var root = json.RootElement;
            var organizations = root.TryGetProperty("orgs", out var orgs) && orgs.ValueKind == JsonValueKind.Array ? orgs.EnumerateArray().Select(org => Text(org, "name")).OfType<string>().ToList() : [];
            var role = root.TryGetProperty("auth", out var auth) && auth.TryGetProperty("accessToken", out var token) ? Text(token, "role") : null;
            return new HubUser(SafePath.Show(Text(root, "name") ?? "(no name)"), organizations, role);
        }
    }

    private async Task<IReadOnlyList<HubFile>> FilesAsync(RepoId repo, string commit, HubCall call, CancellationToken cancellation)
    {
        var files = new List<HubFile>();
        Uri? page = options.Address($"api/models/{repo}/tree/{commit}?recursive=true");
        while (page is not null)
        {
            var (json, next) = await http.GetJsonAsync(page, call, cancellation).ConfigureAwait(false);
            using (json)
            {
                foreach (var entry in json.RootElement.EnumerateArray().Where(entry => Text(entry, "type") == "file"))
                    files.Add(ReadFile(repo, entry));
            }

            page = next;
        }

        return files;
    }

    private static HubFile ReadFile(RepoId repo, JsonElement entry)
    {
        var content = entry.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object ? lfs : entry;
        var (path, etag) = (Text(entry, "path"), Text(content, "oid"));
        return path is not null && SafePath.IsETag(etag) && content.TryGetProperty("size", out var size) && size.TryGetInt64(out var bytes) && bytes >= 0
            ? new HubFile(path, bytes, etag!)
            : throw new HubException(HubErrorKind.Refused, $"The hub's list of files of {repo} is not as it should be at '{SafePath.Show(path ?? "(no name)")}'. Check HF_ENDPOINT.");
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
