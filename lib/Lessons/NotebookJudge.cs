using Dreambooth.Lab.Data;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Lessons;

/// <summary>Opens the judge of a notebook's pictures.</summary>
internal static class NotebookJudge
{
    /// <summary>The miniature's classifier where it knows model and photos; else the preset's encoders.</summary>
    /// <param name="preset">Model, photos and encoders.</param>
    /// <param name="graded">Whether the classifier grades adherence (<see cref="CharacterMeasures.Load"/>).</param>
    /// <param name="hub">Where encoders come from that are named.</param>
    /// <returns>A judge that scores nothing where the hub cannot be reached.</returns>
    /// <exception cref="LabException">A folder is missing or damaged, or there are fewer than two photos.</exception>
    public static IPictureJudge Open(NotebookPreset preset, bool graded, HubResolver hub)
    {
        if (preset.Classifier is { } classifier)
        {
            MiniatureFolder.VerifyIfListed(preset.Model);
            return CharacterMeasures.Load(classifier, preset.Photos, graded);
        }

        if (Folder(hub, preset.Dino) is not { } dino)
            return Missing(preset.Dino);
        if (Folder(hub, preset.Clip) is not { } clip)
            return Missing(preset.Clip);
        var photos = PictureFolder.Read(preset.Photos, BadImagePolicy.Skip).Pictures.Select(photo => ImageDecoder.Load(photo.Path)).ToList();
        var options = PipelineOptions.Parse(preset.Study.Device, preset.Study.Dtype);
        var encoders = SubjectEncoders.Load(
            dino, clip, ImageProtocol.Published, options.Device, options.Dtype, (Shown(preset.Dino), Shown(preset.Clip)));
        try
        {
            return new SubjectJudge(encoders, photos);
        }
        catch
        {
            encoders.Dispose();
            throw;
        }
    }

    // Null where it is a name on the hub, which cannot be reached now.
    private static string? Folder(HubResolver hub, string nameOrPath)
    {
        try
        {
            return hub.Model(nameOrPath);
        }
        catch (HubException error) when (
            error.Kind is HubErrorKind.Network or HubErrorKind.Offline or HubErrorKind.RateLimited or HubErrorKind.Server)
        {
            return null;
        }
    }

    private static NoJudge Missing(string name) => new(
        $"none: the encoder {name} is not on this machine and the hub cannot be reached, so run `dotnet run -- hub download {name}` "
        + "where there is a network, or name folders of encoders by `dino` and `clip`");

    private static string Shown(string nameOrPath) =>
        Path.IsPathRooted(nameOrPath) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(nameOrPath)) : nameOrPath;
}
