using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Cli;

/// <summary><c>train --push_to_hub</c>: the upload of a finished LoRA, whose login and name are checked before the training.</summary>
/// <param name="repo">Where the LoRA goes.</param>
internal sealed class HubPush(RepoId repo)
{
    /// <summary>Finds out who is logged in and what the repository is called.</summary>
    /// <param name="config">The training.</param>
    /// <param name="session">The verb's.</param>
    /// <returns>Null where nothing is to be uploaded.</returns>
    /// <exception cref="HubException">Nobody is logged in, or the hub cannot be reached.</exception>
    /// <exception cref="UsageException">The name is none of a repository.</exception>
    public static HubPush? Prepare(DreamBoothConfig config, Session session)
    {
        if (!config.PushToHub)
            return null;
        using var client = new HubClient(config.HubOptions(), session.Warn);
        var user = HubVerb.Wait(() => client.WhoAmIAsync(session.Cancellation));
        var name = config.HubModelId ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(config.OutputDir)));
        return new HubPush(HubVerb.ParseRepo(name.Contains('/', StringComparison.Ordinal) ? name : $"{user.Name}/{name}"));
    }

    /// <summary>Uploads the LoRA of an output folder with its card.</summary>
    /// <param name="config">The training.</param>
    /// <param name="session">The verb's.</param>
    public void Run(DreamBoothConfig config, Session session)
    {
        session.Output.WriteLine(HubUploadVerb.Upload(config.OutputDir, new HubUploadRequest(repo, [], "End of training"), session));
    }
}
