using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// One commit over HTTP: the hub says which files are large; those go to its store by the large-file protocol; the commit names them and
/// holds the small ones.
/// </summary>
internal sealed class HubUpload(HubOptions options, HubHttp http, ModelApi api)
{
    private const int SampleBytes = 512;
    private const long MostPartBytes = 512 << 20;
    private const string LfsJson = "application/vnd.git-lfs+json";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task<HubCommit> RunAsync(HubUploadRequest request, IProgress<HubProgress>? progress, CancellationToken cancellation)
    {
        var call = new HubCall(request.Repo, request.Revision, Writes: true);
        var user = await api.WhoAmIAsync(cancellation).ConfigureAwait(false);
        await CreateRepoAsync(request, user, call, cancellation).ConfigureAwait(false);
        var meter = new ProgressMeter(progress, request.Files.Sum(file => file.Size), request.Files.Count);
        var prepared = request.Files.Select(file => Prepare(file, cancellation)).ToList();
        var large = await LargeOnesAsync(request, prepared, call, cancellation).ConfigureAwait(false);
        await StoreAsync(request, [.. prepared.Where(file => large.Contains(file.File.Path))], meter, call, cancellation)
            .ConfigureAwait(false);
        var body = CommitBody(request, prepared, large);
        var answer = await PostAsync(
            $"api/models/{request.Repo}/commit/{Uri.EscapeDataString(request.Revision)}", body, "application/x-ndjson", call, cancellation)
                .ConfigureAwait(false);
        foreach (var file in prepared.Where(file => !large.Contains(file.File.Path)))
        {
            meter.Arrive(file.Size);
            meter.Finish();
        }

        return new HubCommit(answer.Find("commitOid")?.Text() ?? string.Empty, options.Address(request.Repo.ToString()));
    }

    private async Task CreateRepoAsync(HubUploadRequest request, HubUser user, HubCall call, CancellationToken cancellation)
    {
        var asked = new JsonObject { ["type"] = "model", ["name"] = request.Repo.Name, ["private"] = request.IsPrivate };
        if (request.Repo.Owner != user.Name)
            asked["organization"] = request.Repo.Owner;
        await http.TryAsync(call, async token =>
        {
            using var reply = await http.SendAsync(
                () => Post(options.Address("api/repos/create"), asked.ToJsonString(), "application/json"), token).ConfigureAwait(false);
            if (reply.Status != HttpStatusCode.Conflict)
                await http.ThrowIfErrorAsync(reply, call, token).ConfigureAwait(false);
            return true;
        }, cancellation).ConfigureAwait(false);
    }

    private static Prepared Prepare(HubUploadFile file, CancellationToken cancellation)
    {
        using var stream = file.Open();
        var sample = new byte[SampleBytes];
        var length = stream.ReadAtLeast(sample, SampleBytes, throwOnEndOfStream: false);
        cancellation.ThrowIfCancellationRequested();
        stream.Position = 0;
        return new Prepared(file, stream.Length, Convert.ToHexStringLower(SHA256.HashData(stream)), sample[..length]);
    }

    /// <summary>Asks which files the hub wants in its store.</summary>
    private async Task<HashSet<string>> LargeOnesAsync(
        HubUploadRequest request, List<Prepared> files, HubCall call, CancellationToken cancellation)
    {
        var asked = new JsonObject
        {
            ["files"] = new JsonArray([.. files.Select(file => new JsonObject
            {
                ["path"] = file.File.Path,
                ["sample"] = Convert.ToBase64String(file.Sample),
                ["size"] = file.Size,
                ["sha"] = file.Sha256,
            })]),
        };
        var answer = await PostAsync(
            $"api/models/{request.Repo}/preupload/{Uri.EscapeDataString(request.Revision)}", asked.ToJsonString(), "application/json", call,
            cancellation).ConfigureAwait(false);
        return [.. answer.Get("files").Items().Where(file => file.Find("uploadMode")?.Text() == "lfs")
            .Select(file => file.Get("path").Text())
            .Where(path => files.Any(file => file.File.Path == path && file.Size > 0))];
    }

    private async Task StoreAsync(
        HubUploadRequest request, List<Prepared> files, ProgressMeter meter, HubCall call, CancellationToken cancellation)
    {
        if (files.Count == 0)
            return;
        var asked = new JsonObject
        {
            ["operation"] = "upload",
            ["transfers"] = new JsonArray("basic", "multipart"),
            ["hash_algo"] = "sha256",
            ["ref"] = new JsonObject { ["name"] = request.Revision },
            ["objects"] = new JsonArray(
                [.. files.DistinctBy(file => file.Sha256).Select(file => new JsonObject { ["oid"] = file.Sha256, ["size"] = file.Size })]),
        };
        var answer = await PostAsync($"{request.Repo}.git/info/lfs/objects/batch", asked.ToJsonString(), LfsJson, call, cancellation)
            .ConfigureAwait(false);
        foreach (var one in answer.Get("objects").Items())
        {
            var file = files.FirstOrDefault(file => file.Sha256 == one.Get("oid").Text())
                ?? throw one.Get("oid").Wrong("the hash of a file of this upload");
            if (one.Find("error") is { } error)
                throw new HubException(
                    HubErrorKind.Refused,
                    $"The hub does not take {file.File.Path}: {SafePath.Show(error.Find("message")?.Text() ?? "no reason given")}.");
            // No actions: the store has this content already.
            if (one.Find("actions") is { } actions && actions.Find("upload") is { } upload)
            {
                await SendAsync(file, upload, call with { File = file.File.Path }, cancellation).ConfigureAwait(false);
                if (actions.Find("verify") is { } verify)
                    await VerifyAsync(file, Address(verify.Get("href")), call, cancellation).ConfigureAwait(false);
            }

            meter.Arrive(file.Size);
            meter.Finish();
        }
    }

    private async Task SendAsync(Prepared file, JsonField upload, HubCall call, CancellationToken cancellation)
    {
        var href = Address(upload.Get("href"));
        var header = upload.Find("header")?.Entries().ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal) ?? [];
        if (!header.Remove("chunk_size", out var chunk))
        {
            using var sent = await PutAsync(
                href, () => new StreamContent(file.File.Open()),
                header.ToDictionary(entry => entry.Key, entry => entry.Value.Element.ToString()), call, cancellation).ConfigureAwait(false);
            return;
        }

        var culture = System.Globalization.CultureInfo.InvariantCulture;
        if (!long.TryParse(chunk.Element.ToString(), culture, out var partBytes))
            throw chunk.Wrong("a number of bytes");
        var addresses = header.Where(entry => entry.Key.Length is > 0 and < 9 && entry.Key.All(char.IsAsciiDigit))
            .OrderBy(entry => int.Parse(entry.Key, culture)).Select(entry => Address(entry.Value)).ToList();
        if (partBytes is < 1 or > MostPartBytes || addresses.Count != (file.Size + partBytes - 1) / partBytes)
            throw new HubException(
                HubErrorKind.Refused,
                $"The hub's plan for {file.File.Path} does not add up: {addresses.Count} parts of {partBytes} bytes for {file.Size}. Try "
                + "again later.");
        var parts = new JsonArray();
        using var stream = file.File.Open();
        var buffer = new byte[partBytes];
        for (var i = 0; i < addresses.Count; i++)
        {
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellation)
                .ConfigureAwait(false);
            using var reply = await PutAsync(addresses[i], () => new ByteArrayContent(buffer, 0, length), [], call, cancellation)
                .ConfigureAwait(false);
            parts.Add(new JsonObject { ["partNumber"] = i + 1, ["etag"] = HubReply.Header(reply.Message, "ETag") ?? string.Empty });
        }

        var done = new JsonObject { ["oid"] = file.Sha256, ["parts"] = parts }.ToJsonString();
        await ExpectAsync(() => Post(href, done, LfsJson), call, cancellation).ConfigureAwait(false);
    }

    private async Task<HubReply> PutAsync(
        Uri address, Func<HttpContent> content, Dictionary<string, string> headers, HubCall call, CancellationToken cancellation) =>
        await http.TryAsync(call, async token =>
        {
            var reply = await http.SendAsync(() =>
            {
                var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = content() };
                foreach (var (name, value) in headers)
                    request.Headers.TryAddWithoutValidation(name, value);
                return request;
            }, token).ConfigureAwait(false);
            await http.ThrowIfErrorAsync(reply, call, token).ConfigureAwait(false);
            return reply;
        }, cancellation).ConfigureAwait(false);

    private Task<bool> VerifyAsync(Prepared file, Uri address, HubCall call, CancellationToken cancellation)
    {
        var body = new JsonObject { ["oid"] = file.Sha256, ["size"] = file.Size }.ToJsonString();
        return ExpectAsync(() => Post(address, body, LfsJson), call, cancellation);
    }

    private Task<bool> ExpectAsync(Func<HttpRequestMessage> create, HubCall call, CancellationToken cancellation) =>
        http.TryAsync(call, async token =>
    {
        using var reply = await http.SendAsync(create, token).ConfigureAwait(false);
        await http.ThrowIfErrorAsync(reply, call, token).ConfigureAwait(false);
        return true;
    }, cancellation);

    private static string CommitBody(HubUploadRequest request, List<Prepared> files, HashSet<string> large)
    {
        var lines = new StringBuilder();
        void Line(string key, JsonObject value) =>
            lines.Append(new JsonObject { ["key"] = key, ["value"] = value }.ToJsonString(Plain)).Append('\n');
        Line("header", new JsonObject { ["summary"] = request.Message, ["description"] = string.Empty });
        foreach (var file in files)
        {
            if (large.Contains(file.File.Path))
            {
                Line(
                    "lfsFile", new JsonObject
                    {
                        ["path"] = file.File.Path,
                        ["algo"] = "sha256",
                        ["oid"] = file.Sha256,
                        ["size"] = file.Size,
                    });
                continue;
            }

            using var stream = file.File.Open();
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Line(
                "file", new JsonObject { ["content"] = Convert.ToBase64String(bytes), ["path"] = file.File.Path, ["encoding"] = "base64" });
        }

        return lines.ToString();
    }

    private Task<JsonField> PostAsync(string path, string body, string type, HubCall call, CancellationToken cancellation) =>
        http.SendForJsonAsync(() => Post(options.Address(path), body, type), call, cancellation);

    private static HttpRequestMessage Post(Uri address, string body, string type)
    {
        var request = new HttpRequestMessage(
            HttpMethod.Post, address)
        { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue(type)) };
        if (type == LfsJson)
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(LfsJson));
        return request;
    }

    private static Uri Address(JsonField field) =>
        Uri.TryCreate(field.Text(), UriKind.Absolute, out var address) && address.Scheme is "https" or "http"
        ? address
        : throw field.Wrong("an address with https or http");

    private sealed record Prepared(HubUploadFile File, long Size, string Sha256, byte[] Sample);
}
