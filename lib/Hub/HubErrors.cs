using System.Net;
using System.Text;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Hub;

/// <summary>What the hub's errors mean for a user, and what to do next. No message contains the token.</summary>
internal sealed class HubErrors(HubOptions options, HubToken? token)
{
    private const int MostBodyBytes = 4096;

    private string Site => options.Endpoint.AbsoluteUri.TrimEnd('/');

    private string LogIn => $"make a token with read access at {Site}/settings/tokens and run `dotnet run -- hub login` (or set HF_TOKEN)";

    /// <summary>The error that an answer is.</summary>
    public async Task<HubException> FromAsync(HubReply reply, HubCall call, CancellationToken cancellation)
    {
        var code = HubReply.Header(reply.Message, "X-Error-Code");
        var said = await SaidAsync(reply, cancellation).ConfigureAwait(false);
        return (reply.Status, code) switch
        {
            (_, "GatedRepo") => Gated(reply.Status, call, said),
            (_, "RevisionNotFound") =>
                new(
                    HubErrorKind.RevisionNotFound,
                    $"{call.Repo} has no branch, tag or commit '{call.Revision}'. Leave --revision out for main, or choose one listed at "
                    + $"{Site}/{call.Repo}/refs."),
            (_, "EntryNotFound") =>
                new(
                    HubErrorKind.FileNotFound,
                    $"{call.Repo} at {call.Revision} has no file '{call.File}'. See {Site}/{call.Repo}/tree/{call.Revision}."),
            (HttpStatusCode.Unauthorized, _) when token is not null && code != "RepoNotFound" => TokenRefused(),
            (HttpStatusCode.Unauthorized or HttpStatusCode.NotFound, _) when call.Repo is not null && !call.Writes => NoRepo(call.Repo),
            (HttpStatusCode.Unauthorized, _) => new(HubErrorKind.NotLoggedIn, $"This needs a login: {LogIn}."),
            (HttpStatusCode.Forbidden, _) when call.Writes => Forbidden(call, said),
            (HttpStatusCode.Forbidden, _) =>
                new(
                    HubErrorKind.Forbidden,
                    $"The hub refuses {call.Repo?.ToString() ?? "this"} to your account{Quote(said)}. Open {Site}/{call.Repo} in a browser "
                    + "to see why."),
            _ => new(
                HubErrorKind.Refused,
                $"{reply.Address.Host} answers {(int)reply.Status} ({reply.Message.ReasonPhrase}) to {Subject(call)}{Quote(said)}. If it "
                + "stays so, check HF_ENDPOINT and the proxy."),
        };
    }

    /// <summary>The error that remained after all retries.</summary>
    public HubException GivenUp(Exception error, HubCall call) => error switch
    {
        HubTransientException { Status: HttpStatusCode.TooManyRequests } => new(
            HubErrorKind.RateLimited,
            $"The hub limits requests (429) and kept doing so for {options.MaxRetries + 1} tries. Wait some minutes and run again: what is "
            + $"downloaded is kept.{(token is null ? " Logged-in users may ask more: " + LogIn + "." : string.Empty)}", error),
        HubTransientException { Status: not null } transient => new(
            HubErrorKind.Server,
            $"{transient.Message} to {Subject(call)}, {options.MaxRetries + 1} times. The hub has a fault; its state is shown at "
            + "https://status.huggingface.co. Run again later: what is downloaded is kept.", error),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new(
            HubErrorKind.Network,
            $"The certificate of {options.Endpoint.Host} (or of where it redirects to) is not trusted here: {Cause(error)} Checks stay on; "
            + "where a company proxy opens TLS, add its certificate to the system's, or on Linux name it in SSL_CERT_FILE.", error),
        _ => new(
            HubErrorKind.Network,
            $"The hub at {options.Endpoint.Host} cannot be reached: {Cause(error)} Check the connection, and HTTPS_PROXY where a proxy is "
            + "needed; what is downloaded is kept.", error),
    };

    /// <summary>A passing error in a few words.</summary>
    public static string Describe(Exception error) => error is HubTransientException ? error.Message : Cause(error).TrimEnd('.');

    private static string Cause(Exception error)
    {
        var text = SafePath.Show((error.InnerException is { } inner && error is HttpRequestException ? inner : error).Message);
        return text.EndsWith('.') ? text : text + ".";
    }

    private HubException Gated(HttpStatusCode status, HubCall call, string said)
    {
        var page = $"{Site}/{call.Repo}";
        if (token is null)
            return new(
                HubErrorKind.NotLoggedIn, $"{call.Repo} is gated and you are not logged in. Accept its licence at {page}, then {LogIn}.");
        if (said.Contains("Invalid", StringComparison.OrdinalIgnoreCase) && status == HttpStatusCode.Unauthorized)
            return TokenRefused();
        return said.Contains("review", StringComparison.OrdinalIgnoreCase)
            ? new(
                HubErrorKind.LicenceNotAccepted,
                $"Your request for {call.Repo} is not answered yet by its authors. {page} shows its state; run again when it is granted.")
            : new(
                HubErrorKind.LicenceNotAccepted,
                $"The account of your token ({token.Source}) has not accepted the licence of {call.Repo}. Open {page} logged in as that "
                + "account, accept, and run again. A fine-grained token also needs the permission to read gated repositories.");
    }

    private HubException TokenRefused() => new(
        HubErrorKind.TokenRefused,
        $"The hub does not know the token from {token!.Source}; it may be revoked or cut off. Then "
        + $"{LogIn}{(token.Source == "HF_TOKEN" ? ", and unset the old HF_TOKEN" : string.Empty)}.");

    private HubException NoRepo(RepoId repo) => token is null
        ? new(
            HubErrorKind.RepoNotFound,
            $"The hub has no {repo.Kinds[..^1]} {repo.Owner}/{repo.Name}, or it is private. Check the name at {Search(repo)}; for a "
            + $"private one {LogIn}.")
        : new(
            HubErrorKind.RepoNotFound,
            $"The hub has no {repo.Kinds[..^1]} {repo.Owner}/{repo.Name}, or the account of your token ({token.Source}) may not see it. "
            + $"Check the name at {Search(repo)}.");

    private string Search(RepoId repo) => $"{Site}/{repo.Kinds}?search={Uri.EscapeDataString(repo.Name)}";

    private HubException Forbidden(HubCall call, string said) => new(
        HubErrorKind.Forbidden,
        $"Your token ({token?.Source}) may not write to {call.Repo}{Quote(said)}. Make one with write access at {Site}/settings/tokens and "
        + "run `dotnet run -- hub login` again.");

    private static string Subject(HubCall call) =>
        call.File is not null ? $"{call.File} of {call.Repo}" : call.Repo?.ToString() ?? "the request";

    private static string Quote(string said) => said.Length == 0 ? string.Empty : $" and says: {said.TrimEnd('.')}";

    private async Task<string> SaidAsync(HubReply reply, CancellationToken cancellation)
    {
        var text = HubReply.Header(reply.Message, "X-Error-Message") ?? ErrorOf(await BodyAsync(reply, cancellation).ConfigureAwait(false));
        return SafePath.Show(token is null ? text : text.Replace(token.Value, "(token)", StringComparison.Ordinal));
    }

    private static async Task<string> BodyAsync(HubReply reply, CancellationToken cancellation)
    {
        var buffer = new byte[MostBodyBytes];
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeSpan.FromSeconds(5));
            var length = await (await reply.BodyAsync(limit.Token).ConfigureAwait(false)).ReadAtLeastAsync(
                buffer, MostBodyBytes, throwOnEndOfStream: false, limit.Token).ConfigureAwait(false);
            return Encoding.UTF8.GetString(buffer, 0, length);
        }
        catch (Exception error) when (error is IOException or HttpRequestException or OperationCanceledException
            && !cancellation.IsCancellationRequested)
        {
            return string.Empty;
        }
    }

    private static string ErrorOf(string body)
    {
        try
        {
            return JsonField.Parse(body, "the answer") is { IsObject: true } json && json.Find("error") is { } error
                ? error.Element.ToString()
                : string.Empty;
        }
        catch (LabException)
        {
            return string.Empty;
        }
    }
}
