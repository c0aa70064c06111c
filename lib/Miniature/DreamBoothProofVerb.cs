using System.CommandLine;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Miniature.Proof;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Miniature;

/// <summary><c>dreambooth</c>: trains the character on the miniature and measures it before and after.</summary>
internal static class DreamBoothProofVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command(
            "dreambooth",
            "Trains the character on the miniature, with prior preservation and without, and lets the classifier compare the pictures "
            + "before and after.");
        var recipe = verb.AddText("--recipe", "FILE", "The recipe; its output folders are not used.", "data/recipes/gmc-cat.json");
        var classifier = verb.AddText("--classifier", "FOLDER", "The attribute classifier.", "data/sd3-mini-classifier");
        var prompts = verb.AddText("--prompts", "FOLDER", "Prompt lists of the three families.", PromptList.MiniatureFolder);
        var output = verb.AddText(
            "--output", "FOLDER", "Folder for the LoRAs, the report and sheets of pictures.", "outputs/miniature/dreambooth");
        var lora = verb.AddText("--lora", "FILE", "Measure this LoRA instead of training one.", null);
        var withoutPrior = verb.AddText(
            "--lora_without_prior", "FILE", "With --lora: measure this LoRA beside it, as the one trained without prior preservation.",
            null);
        var single = verb.AddSwitch("--single", "Train by the recipe alone, and not once more without prior preservation.");
        var pictures = verb.AddNumber(
            "--pictures_per_prompt", "Pictures of each prompt of a family; of the instance prompt six times as many.", 2);
        var steps = verb.AddNumber("--steps", "Denoising steps.", 28);
        var guidance = verb.AddNumber("--guidance_scale", "Guidance.", 3.0);
        verb.SetAction(result =>
        {
            var path = result.GetValue(recipe)!;
            var report = DreamBoothProof.Run(new DreamBoothProofOptions
            {
                Training = DreamBoothConfig.Read(path, message => session.Warn($"{path}: {message}")),
                Classifier = result.GetValue(classifier)!,
                Prompts = result.GetValue(prompts)!,
                Output = result.GetValue(output)!,
                Lora = result.GetValue(lora),
                LoraWithoutPrior = result.GetValue(withoutPrior),
                ComparePrior = !result.GetValue(single),
                PicturesPerPrompt = result.GetValue(pictures),
                PlainPictures = 6 * result.GetValue(pictures),
                Steps = result.GetValue(steps),
                GuidanceScale = result.GetValue(guidance),
                Log = session.Output.WriteLine,
                Cancellation = session.Cancellation,
            });
            return ProofOutput.Tell(session, report);
        });
        return verb;
    }
}
