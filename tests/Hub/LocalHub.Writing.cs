using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Dreambooth.Lab.Tests.Hub;

/// <content>Uploads: new repositories, the large-file protocol, commits.</content>
internal sealed partial class LocalHub
{
    /// <summary>Bytes of a part of a large upload; smaller files go in one.</summary>
    public int? UploadPartBytes { get; set; }

    /// <summary>The last commit as it was sent, line by line.</summary>
    public IReadOnlyList<JsonNode> LastCommit { get; private set; } = [];

    /// <summary>Large files whose upload the client asked to be checked.</summary>
    public List<string> Checked { get; } = [];

    private async Task WriteAsync(HttpContext context, bool isStore)
    {
        var parts = context.Request.Path.Value!.Trim('/').Split('/');
        if (isStore)
            await StoreAsync(context, parts);
        else if (AccountOf(context) is not { } account)
            await RefuseAsync(context, 401, null, "Invalid username or password.");
        else if (!account.CanWrite)
            await RefuseAsync(context, 403, null, "You don't have the rights to create a model under this namespace");
        else if (parts is ["api", "repos", "create"])
            await CreateAsync(context, account);
        else if (parts is ["api", "models", _, _, "preupload", _])
            await PreuploadAsync(context);
        else if (parts is [_, var git, "info", "lfs", "objects", "batch"] && git.EndsWith(".git", StringComparison.Ordinal))
            await BatchAsync(context);
        else if (parts is ["lfs", "verify"])
            await VerifyAsync(context);
        else if (parts is ["api", "models", _, _, "commit", _])
            await CommitAsync(context, $"{parts[2]}/{parts[3]}");
        else
            await RefuseAsync(context, 404, null, "Not found");
    }

    private async Task CreateAsync(HttpContext context, LocalAccount account)
    {
        var asked = JsonNode.Parse(await TextAsync(context))!;
        var id = $"{asked["organization"]?.GetValue<string>() ?? account.Name}/{asked["name"]!.GetValue<string>()}";
        if (Repos.ContainsKey(id))
        {
            await RefuseAsync(context, 409, null, "You already created this model repo");
            return;
        }

        Repos[id] = new LocalRepo(id) { Private = asked["private"]?.GetValue<bool>() == true };
        Repos[id].Commit((".gitattributes", LocalContent.Of("*.safetensors filter=lfs\n")));
        await context.Response.WriteAsJsonAsync(new { url = $"{Endpoint}{id}", name = id });
    }

    private static async Task PreuploadAsync(HttpContext context)
    {
        var files = JsonNode.Parse(await TextAsync(context))!["files"]!.AsArray();
        await context.Response.WriteAsJsonAsync(new
        {
            files = files.Select(file => new
            {
                path = file!["path"]!.GetValue<string>(),
                uploadMode = file["path"]!.GetValue<string>().EndsWith(".safetensors", StringComparison.Ordinal)
                    || file["path"]!.GetValue<string>().EndsWith(".png", StringComparison.Ordinal) ? "lfs" : "regular",
                shouldIgnore = false,
            }),
        });
    }

    private async Task BatchAsync(HttpContext context)
    {
        var objects = JsonNode.Parse(await TextAsync(context))!["objects"]!.AsArray();
        var verify = new { href = $"{Endpoint}lfs/verify" };
        context.Response.ContentType = "application/vnd.git-lfs+json";
        await context.Response.WriteAsync(new JsonObject
        {
            ["transfer"] = UploadPartBytes is null ? "basic" : "multipart",
            ["objects"] = new JsonArray([.. objects.Select(one =>
            {
                var (oid, size) = (one!["oid"]!.GetValue<string>(), one["size"]!.GetValue<long>());
                var answer = new JsonObject { ["oid"] = oid, ["size"] = size };
                if (Uploaded.ContainsKey(oid))
                    return answer;
                var header = new JsonObject();
                if (UploadPartBytes is { } part)
                {
                    header["chunk_size"] = part.ToString(CultureInfo.InvariantCulture);
                    for (var i = 0; i * (long)part < size; i++)
                        header[(i + 1).ToString("00000", CultureInfo.InvariantCulture)] = $"{Store}parts/{oid}?part={i + 1}";
                }

                var href = UploadPartBytes is null ? $"{Store}upload/{oid}" : $"{Store}complete/{oid}";
                answer["actions"] = new JsonObject
                {
                    ["upload"] = new JsonObject { ["href"] = href, ["header"] = header },
                    ["verify"] = new JsonObject { ["href"] = verify.href },
                };
                return answer;
            })]),
        }.ToJsonString());
    }

    private async Task StoreAsync(HttpContext context, string[] parts)
    {
        var body = await BodyAsync(context);
        if (parts is ["upload", var oid])
        {
            Uploaded[oid] = body;
        }
        else if (parts is ["parts", var whole])
        {
            var part = context.Request.Query["part"].ToString();
            Uploaded[$"{whole}#{part}"] = body;
            context.Response.Headers.ETag = $"\"etag-{part}\"";
        }
        else if (parts is ["complete", var all])
        {
            var listed = JsonNode.Parse(body)!["parts"]!.AsArray();
            if (listed.Any(part => part!["etag"]!.GetValue<string>() != $"\"etag-{part["partNumber"]}\""))
                context.Response.StatusCode = 400;
            else
                Uploaded[all] = [.. listed.SelectMany(part => Uploaded[$"{all}#{part!["partNumber"]}"])];
        }
    }

    private async Task VerifyAsync(HttpContext context)
    {
        var oid = JsonNode.Parse(await TextAsync(context))!["oid"]!.GetValue<string>();
        Checked.Add(oid);
        context.Response.StatusCode = Uploaded.TryGetValue(oid, out var bytes) && Convert.ToHexStringLower(SHA256.HashData(bytes)) == oid
            ? 200
            : 422;
        await context.Response.WriteAsync("OK");
    }

    private async Task CommitAsync(HttpContext context, string id)
    {
        var lines = (await TextAsync(context)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)
            .ToList();
        LastCommit = lines;
        if (context.Request.ContentType != "application/x-ndjson" || lines[0]["key"]!.GetValue<string>() != "header")
        {
            await RefuseAsync(context, 400, null, "Invalid commit");
            return;
        }

        Repos[id].Commit(
            [.. lines.Skip(1).Select(line => line["value"]!)
                .Select(value => (value["path"]!.GetValue<string>(), LocalContent.Of(value["content"] is { } content
            ? Convert.FromBase64String(content.GetValue<string>())
            : Uploaded[value["oid"]!.GetValue<string>()])))]);
        await context.Response.WriteAsJsonAsync(
            new { success = true, commitOid = Repos[id].Head, commitUrl = $"{Endpoint}{id}/commit/{Repos[id].Head}" });
    }
}
