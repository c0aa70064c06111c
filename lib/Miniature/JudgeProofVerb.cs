using System.CommandLine;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.Proof;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Miniature;

/// <summary><c>judge</c>: compares the judge by encoders with the miniature's classifier.</summary>
internal static class JudgeProofVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command(
            "judge", "Tries the judge by encoders on the miniature: the order of one training's checkpoints beside the classifier's, "
                + "copies by a LoRA trained to copy and by the shipped one, drift with prior preservation and without. Trainings and "
                + "pictures in the output folder are used again.");
        var recipe = verb.AddText("--recipe", "FILE", "The recipe; its output folders are not used.", "data/recipes/gmc-cat.json");
        var encoders = verb.AddText("--encoders", "FOLDER", "Folder with dino and clip.", "data/sd3-mini-encoders");
        var classifier = verb.AddText("--classifier", "FOLDER", "The attribute classifier.", "data/sd3-mini-classifier");
        var shipped = verb.AddText("--lora", "FOLDER", "The LoRA in which no copies are to be found.", "data/gmc-cat-lora");
        var output = verb.AddText("--output", "FOLDER", "Folder for trainings, pictures and the report.", "outputs/miniature/judge");
        var protocol = verb.AddText("--protocol", "NAME", "How pictures are prepared: published or paper.", "published");
        var pictures = verb.AddNumber("--pictures_per_prompt", "Pictures of each of four prompts for every checkpoint.", 2);
        var plain = verb.AddNumber("--plain_pictures", "Pictures that are searched for copies.", 8);
        var ofClass = verb.AddNumber("--class_pictures", "Pictures of the class prompt, which show drift.", 48);
        var steps = verb.AddNumber("--steps", "Denoising steps.", 16);
        verb.SetAction(result =>
        {
            var path = result.GetValue(recipe)!;
            var name = result.GetValue(protocol)!;
            var report = JudgeProof.Run(new JudgeProofOptions
            {
                Training = DreamBoothConfig.Read(path, message => session.Warn($"{path}: {message}")),
                Encoders = result.GetValue(encoders)!,
                Classifier = result.GetValue(classifier)!,
                Shipped = result.GetValue(shipped)!,
                Output = result.GetValue(output)!,
                Protocol = name switch
                {
                    "published" => ImageProtocol.Published,
                    "paper" => ImageProtocol.Paper,
                    _ => throw new UsageException($"--protocol is '{name}'; valid are published and paper."),
                },
                PicturesPerPrompt = result.GetValue(pictures),
                PlainPictures = result.GetValue(plain),
                ClassPictures = result.GetValue(ofClass),
                Steps = result.GetValue(steps),
                Log = session.Output.WriteLine,
                Cancellation = session.Cancellation,
            });
            return ProofOutput.Tell(session, report);
        });
        return verb;
    }
}
