using Dreambooth.Lab.Data;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
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

        foreach (var encoder in new[] { preset.Dino, preset.Clip })
        {
            if (!IsHere(hub, encoder))
                return new NoJudge(
                    $"none: the encoder {encoder} is not on this machine and the hub cannot be reached, so run `dotnet run -- hub download "
                    + $"{encoder} --encoder` where there is a network, or name folders of encoders by `dino` and `clip`");
        }

        return new JudgeRequest
        {
            Model = preset.Model,
            Photos = preset.Photos,
            OnBadImage = BadImagePolicy.Skip,
            Dino = preset.Dino,
            Clip = preset.Clip,
            Device = preset.Study.Device,
        }.Open(hub);
    }

    // Other faults of a name are the user's to mend, and are told as errors.
    private static bool IsHere(HubResolver hub, string nameOrPath)
    {
        try
        {
            hub.Encoder(nameOrPath);
            return true;
        }
        catch (HubException error) when (
            error.Kind is HubErrorKind.Network or HubErrorKind.Offline or HubErrorKind.RateLimited or HubErrorKind.Server)
        {
            return false;
        }
    }
}
