using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Cli;

/// <summary><c>hub</c>: the Hugging Face hub and the cache that all its programs share.</summary>
internal static class HubVerb
{
    private const double MiB = 1 << 20;

    public static Command Create(Session session) =>
        new(
            "hub", "Models from the Hugging Face hub: login, downloads, the shared cache, uploads. HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, "
                + "HF_TOKEN and HF_HUB_OFFLINE are respected.")
        {
            CreateLogin(session),
            CreateWhoAmI(session),
            CreateDownload(session),
            CreateList(session),
            CreateVerify(session),
            HubUploadVerb.Create(session),
        };

    /// <summary>A value of a flag that every sub-verb has.</summary>
    public static Option<string> Revision() =>
        new("--revision") { HelpName = "NAME", Description = "Branch, tag or commit [default: main].", DefaultValueFactory = _ => "main" };

    /// <summary>The repository that a verb is about.</summary>
    public static Argument<string> Repo() => new("REPO")
    {
        Description = "owner/name, such as stabilityai/stable-diffusion-3.5-medium; datasets/owner/name of a dataset.",
    };

    /// <summary>Waits for something asynchronous.</summary>
    public static T Wait<T>(Func<Task<T>> work) => Task.Run(work).GetAwaiter().GetResult();

    private static Command CreateLogin(Session session)
    {
        var verb = new Command(
            "login", "Stores an access token for this and all other hub programs. It is read from the terminal (unseen) or from "
                + "standard input, never from the command line.");
        verb.SetAction(_ =>
        {
            var options = HubOptions.FromEnvironment();
            if (options.Token is { Source: var source })
                session.Warn($"{source} is set and takes precedence over the token that is stored now.");
            if (session.IsInteractive)
                session.Output.WriteLine(
                    $"Make a token at {options.Endpoint.AbsoluteUri.TrimEnd('/')}/settings/tokens (read access; write access to upload) "
                    + "and paste it here:");
            var token = HubToken.Parse(session.ReadSecret() ?? string.Empty, "the input");
            using var client = new HubClient(options with { Token = token }, session.Warn);
            var user = Wait(() => client.WhoAmIAsync(session.Cancellation));
            token.Save(options.TokenPath);
            session.Output.WriteLine($"Logged in as {user.Name}{Role(user)}; the token is stored in {options.TokenPath}");
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command CreateWhoAmI(Session session)
    {
        var verb = new Command("whoami", "Prints whose token is used, and where it comes from.");
        verb.SetAction(_ =>
        {
            using var client = new HubClient(null, session.Warn);
            var user = Wait(() => client.WhoAmIAsync(session.Cancellation));
            session.Output.WriteLine($"{user.Name}{Role(user)}, by the token from {client.Token!.Source}");
            if (user.Organizations.Count > 0)
                session.Output.WriteLine($"organisations: {string.Join(", ", user.Organizations)}");
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command CreateDownload(Session session)
    {
        var (repo, revision) = (Repo(), Revision());
        var files = new Argument<string[]>("FILES")
        {
            Description = "Names or patterns with * and ?; without them: what a pipeline needs, or all files.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var variant = new Option<string?>("--variant") { HelpName = "NAME", Description = "Variant of the weights, such as fp16." };
        var subfolder = new Option<string?>("--subfolder") { HelpName = "NAME", Description = "Only this folder, such as transformer." };
        var exclude = new Option<string[]>("--exclude") { HelpName = "PATTERN", Description = "Files to leave out." };
        var lora = new Option<bool>("--lora") { Description = "Only the LoRA file." };
        var encoder = new Option<bool>("--encoder")
        {
            Description = "Only what an encoder of pictures needs, such as openai/clip-vit-large-patch14.",
        };
        var verb = new Command(
            "download",
            "Downloads a model into the shared cache, only the files that are needed, and prints its folder. What is there is not "
            + "downloaded again; partial downloads are continued.")
        {
            repo, files, revision, variant, subfolder, exclude, lora, encoder,
        };
        verb.SetAction(result =>
        {
            var id = ParseRepo(result.GetValue(repo)!);
            var request = new HubDownloadRequest(id)
            {
                Revision = result.GetValue(revision)!,
                Variant = result.GetValue(variant),
                Subfolder = result.GetValue(subfolder),
                Include = result.GetValue(files) ?? [],
                Exclude = result.GetValue(exclude) ?? [],
                Content = result.GetValue(lora) ? HubContent.Lora
                    : result.GetValue(encoder) ? HubContent.Encoder : id.IsDataset ? HubContent.All : HubContent.Auto,
            };
            using var client = new HubClient(null, session.Warn);
            var snapshot = ConsoleProgress.Run(
                session, report => Wait(
                    () => client.DownloadAsync(request, new HubProgressLines(report, "Downloading"), session.Cancellation)));
            session.Output.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{snapshot.Files.Count} files, {snapshot.BytesDownloaded / MiB:0.0} MiB of them downloaded now, commit "
                    + $"{snapshot.Commit}"));
            session.Output.WriteLine(snapshot.Folder);
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command CreateList(Session session)
    {
        var verb = new Command("list", "Lists the models in the shared cache.");
        verb.SetAction(_ =>
        {
            var cache = new HubCache(HubOptions.FromEnvironment().CacheFolder);
            var repos = cache.List();
            foreach (var repo in repos)
            {
                var revisions = string.Join(
                    ", ", repo.Revisions.Select(
                        revision => string.Join("/", revision.Names.Append(revision.Commit[..Math.Min(8, revision.Commit.Length)]))));
                var begun = repo.IncompleteBytes > 0 ? $" ({repo.IncompleteBytes / MiB:0.0} MiB begun)" : string.Empty;
                session.Output.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"{repo.Repo,-48}{repo.Bytes / MiB,10:0.0} MiB  {revisions}{begun}"));
            }

            session.Output.WriteLine(repos.Count == 0 ? $"{cache.Folder} holds no model." : $"in {cache.Folder}");
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command CreateVerify(Session session)
    {
        var (repo, revision) = (Repo(), Revision());
        var repair = new Option<bool>("--repair") { Description = "Remove damaged files and download them again." };
        var verb = new Command(
            "verify",
            "Reads every cached file of a model and compares its hash with what the hub lists. The exit code is "
            + "1 where one is damaged.") { repo, revision, repair };
        verb.SetAction(result =>
        {
            var id = ParseRepo(result.GetValue(repo)!);
            using var client = new HubClient(null, session.Warn);
            var found = Wait(() => client.VerifyAsync(id, result.GetValue(revision)!, result.GetValue(repair), session.Cancellation));
            session.Output.WriteLine($"{id} at {found.Commit}: {found.Verified.Count} files verified, {found.Damaged.Count} damaged");
            foreach (var file in found.Damaged)
                session.Output.WriteLine($"damaged: {file}");
            if (found.Unknown.Count > 0)
                session.Warn(
                    $"{found.Unknown.Count} files are copies whose hash only the hub knows; verify them online: "
                    + $"{string.Join(", ", found.Unknown.Take(3))}.");
            if (found.Damaged.Count == 0)
                return ExitCode.Success;
            if (!result.GetValue(repair))
                throw new LabException(
                    $"{found.Damaged.Count} files of {id} are damaged. `dotnet run -- hub verify {id} --repair` "
                    + "removes them and downloads them again.");
            var request = new HubDownloadRequest(id) { Revision = found.Commit, Include = found.Damaged };
            ConsoleProgress.Run(
                session, report => Wait(
                    () => client.DownloadAsync(request, new HubProgressLines(report, "Downloading"), session.Cancellation)));
            return ExitCode.Success;
        });
        return verb;
    }

    /// <summary>Reads a repository's name; a wrong one is a usage error.</summary>
    public static RepoId ParseRepo(string text) =>
        RepoId.TryParse(text, out var repo)
            ? repo
            : throw new UsageException(
                $"{(text.Length <= 16 || text.Contains('/', StringComparison.Ordinal) ? $"'{ShownText.Line(text)}'" : "What was given")} "
                + "is no name of a repository; valid is owner/name, such as stabilityai/stable-diffusion-3.5-medium.");

    private static string Role(HubUser user) => user.TokenRole is null ? string.Empty : $" ({user.TokenRole} access)";
}
