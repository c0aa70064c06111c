using System.CommandLine;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Miniature.Proof;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature;

/// <summary>The program that makes the miniature model from nothing, one verb per part.</summary>
internal static class MiniatureCommandLine
{
    private static readonly string[] Devices = ["auto", "cpu", "cuda"];

    public static RootCommand Create(Session session) =>
        new("Makes the miniature model that ships in data/sd3-mini from nothing. Each verb is one part and can be run again.")
        {
            Training(
                "vae", "Trains the autoencoder on painted pictures.", session, (recipe, options, _) => VaeTraining.Run(recipe, options)),
            Training(
                "diffusion", "Trains text encoders and transformer on encoded pictures and captions.", session,
                (recipe, options, vae) => DiffusionTraining.Run(
                    recipe, options, vae ?? throw new UsageException("--vae is missing: the output folder of the verb vae."))),
            Training("classifier", "Trains the attribute classifier on painted pictures.", session, ClassifierTraining.Run),
            EncodersVerb.Create(session, ParseDevice),
            Tokenizers(session),
            Export(session),
            Prove(session),
            DreamBoothProofVerb.Create(session),
            Benchmark(session),
            JudgeProofVerb.Create(session),
        };

    private static Command Training(
        string name, string description, Session session, Action<MiniatureRecipe, PretrainingOptions, string?> run)
    {
        var verb = new Command(name, description);
        var output = verb.AddText("--output", "FOLDER", "Folder for weights, curves and samples.", $"outputs/miniature/{name}");
        var vae = verb.AddText("--vae", "FOLDER",
            "Output folder of the autoencoder's training, or a model folder to take its autoencoder as it is.", null);
        var device = verb.AddText("--device", "NAME", "auto, cpu or cuda; auto takes cuda where it works.", "auto");
        var resume = verb.AddText("--resume", "FOLDER", "Go on from the state in this folder, or from weights where it has no state.",
            null);
        var start = verb.AddText("--start", "FOLDER",
            "Begin with the weights of this model folder; blocks that it lacks begin as the identity.", null);
        var pool = verb.AddText("--pool", "FOLDER", "Keep painted pictures here and use them again.", null);
        var minutes = verb.AddNumber("--minutes", "Minutes of training; what comes before it is not counted.", 7.0);
        var steps = verb.AddNumber("--max_steps", "Steps after which training ends in any case.", long.MaxValue);
        var pictures = verb.AddNumber("--pictures", "Number of painted pictures to train on.", 60_000);
        var firstPicture = verb.AddNumber("--first_picture", "Seed of the first painted picture; 0 for the recipe's.", 0UL);
        var from = verb.AddNumber("--from",
            "Where on the learning-rate schedule this run begins, 0 to 1; below 0 for where the run that it resumes ended.", -1.0);
        var to = verb.AddNumber("--to", "Where on the learning-rate schedule this run ends, 0 to 1.", 1.0);
        var batch = verb.AddNumber("--batch", "Pictures in a step; 0 for the recipe's.", 0);
        var rate = verb.AddNumber("--rate", "Largest learning rate; 0 for the recipe's.", 0.0);
        var threads = verb.AddNumber("--threads", "Threads that render.", Math.Max(1, Environment.ProcessorCount - 2));
        var sheets = verb.AddNumber(
            "--sheet_minutes", "Minutes between saved weights and sample sheets; 0 saves nothing, to time steps.", 3.0);
        var report = verb.AddNumber("--report_seconds", "Seconds between progress lines.", 20.0);
        var bf16 = verb.AddSwitch("--bf16", "Compute in bfloat16; the weights that are trained stay float32.");
        var graph = verb.AddSwitch("--cuda_graph", "Capture a step once and replay it (CUDA only).");
        var decoder = verb.AddSwitch(
            "--decoder_only", "Train the autoencoder's decoder on while the encoder stays, so that latents stay valid; with --resume.");
        var perceptual = verb.AddText("--perceptual", "FOLDER",
            "Compare decoded and painted pictures by this classifier's first maps too.", null);
        var ranks = verb.AddNumber("--ranks", "Processes that train together, one per GPU, each on --pictures pictures of its own.", 1);
        var rank = verb.AddNumber("--rank", "Which of them this is, from 0.", 0);
        var meeting = verb.AddText("--meeting", "FOLDER", "A new folder through which they meet.", null);
        var tiny = verb.AddSwitch("--tiny", "A recipe of the same kind that trains in seconds, to try the commands.");
        verb.SetAction(result =>
        {
            var recipe = Adjusted(
                result.GetValue(tiny) ? MiniatureRecipe.Tiny : new MiniatureRecipe(), result.GetValue(batch), result.GetValue(rate));
            recipe = result.GetValue(firstPicture) is var first and > 0 ? recipe with { FirstDrawing = first } : recipe;
            run(recipe, new PretrainingOptions
            {
                Output = result.GetValue(output)!,
                Device = ParseDevice(result.GetValue(device)!),
                Minutes = result.GetValue(minutes),
                MaxSteps = result.GetValue(steps),
                Pictures = result.GetValue(pictures),
                Pool = result.GetValue(pool),
                Resume = result.GetValue(resume),
                Start = result.GetValue(start),
                From = result.GetValue(from) < 0 ? null : result.GetValue(from),
                To = result.GetValue(to),
                RenderThreads = result.GetValue(threads),
                SheetMinutes = result.GetValue(sheets),
                ReportSeconds = result.GetValue(report),
                Bf16 = result.GetValue(bf16),
                CudaGraph = result.GetValue(graph),
                DecoderOnly = result.GetValue(decoder),
                Perceptual = result.GetValue(perceptual),
                Ranks = result.GetValue(ranks),
                Rank = result.GetValue(rank),
                Meeting = result.GetValue(meeting),
                Log = session.Output.WriteLine,
                Cancellation = session.Cancellation,
            }, result.GetValue(vae));
            return session.Cancellation.IsCancellationRequested ? ExitCode.Cancelled : ExitCode.Success;
        });
        return verb;
    }

    private static Command Tokenizers(Session session)
    {
        var verb = new Command("tokenizers", "Writes the three tokenizers' folders.");
        var output = verb.AddText("--output", "FOLDER", "Model folder to write into.", "outputs/miniature/tokenizers");
        verb.SetAction(result =>
        {
            var tokenizers = new MiniatureTokenizers(new MiniatureRecipe().TextWindow);
            tokenizers.Write(result.GetValue(output)!);
            session.Output.WriteLine(
                $"{tokenizers.ClipVocabSize} CLIP tokens and {tokenizers.T5VocabSize} T5 tokens in {result.GetValue(output)}");
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command Benchmark(Session session)
    {
        var verb = new Command(
            "benchmark", "Paints a data set of three subjects in the layout of DreamBooth's, for the lab's evaluate dreambench.");
        var output = verb.AddText("--output", "FOLDER", "Folder to paint into.", "outputs/miniature/benchmark");
        verb.SetAction(result =>
        {
            World.PaintedBenchmark.Write(result.GetValue(output)!);
            session.Output.WriteLine($"Painted in {result.GetValue(output)}");
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command Export(Session session)
    {
        var verb = new Command("export", "Writes a model folder in the published layout from the trainings' output folders.");
        var output = verb.AddText("--output", "FOLDER", "Model folder to write.", "outputs/miniature/export");
        var vae = verb.AddText("--vae", "FOLDER",
            "Output folder of the autoencoder's training, or a model folder to take its autoencoder as it is.", "outputs/miniature/vae");
        var diffusion = verb.AddText("--diffusion", "FOLDER", "Output folder of the diffusion training.", "outputs/miniature/diffusion");
        var classifier = verb.AddText("--classifier", "FOLDER", "Output folder of the classifier's training, or none.", null);
        var classifierOutput = verb.AddText(
            "--classifier_output", "FOLDER", "Folder to write the classifier to.", "outputs/miniature/export-classifier");
        var tiny = verb.AddSwitch("--tiny", "The recipe that the trainings used was --tiny.");
        verb.SetAction(result =>
        {
            var recipe = result.GetValue(tiny) ? MiniatureRecipe.Tiny : new MiniatureRecipe();
            MiniatureExport.Write(result.GetValue(output)!, recipe, result.GetValue(vae)!, result.GetValue(diffusion)!);
            if (result.GetValue(classifier) is { } folder)
                ClassifierTraining.Export(recipe, folder, result.GetValue(classifierOutput)!);
            MiniatureFolder.Verify(result.GetValue(output)!);
            session.Output.WriteLine($"Written to {result.GetValue(output)}");
            return ExitCode.Success;
        });
        return verb;
    }

    private static Command Prove(Session session)
    {
        var verb = new Command(
            "prove", "Lets the classifier read pictures of captions that training never saw, compares "
                + "guidances, and measures the autoencoder.");
        var model = verb.AddText("--model", "FOLDER", "The miniature.", "data/sd3-mini");
        var classifier = verb.AddText("--classifier", "FOLDER", "The attribute classifier.", "data/sd3-mini-classifier");
        var output = verb.AddText("--output", "FOLDER", "Folder for the report and sheets of pictures.", "outputs/miniature/proof");
        var device = verb.AddText("--device", "NAME", "auto, cpu or cuda.", "auto");
        var count = verb.AddNumber("--combinations", "Captions, one picture each.", 300);
        var sweep = verb.AddNumber("--sweep_combinations", "Captions for each guidance from 1 to 7; 0 for no comparison.", 60);
        var guidance = verb.AddNumber("--guidance_scale", "Guidance.", 4.0);
        var steps = verb.AddNumber("--steps", "Denoising steps.", 28);
        verb.SetAction(result =>
        {
            var options = new ProofOptions
            {
                Model = result.GetValue(model)!,
                Classifier = result.GetValue(classifier)!,
                Device = ParseDevice(result.GetValue(device)!),
                Combinations = result.GetValue(count),
                SweepCombinations = result.GetValue(sweep),
                GuidanceScale = result.GetValue(guidance),
                Steps = result.GetValue(steps),
                Log = session.Output.WriteLine,
                Cancellation = session.Cancellation,
            };
            var report = MiniatureProof.Run(
                result.GetValue(sweep) > 0 ? options : options with { GuidanceSweep = [] }, result.GetValue(output));
            return ProofOutput.Tell(session, report);
        });
        return verb;
    }

    private static MiniatureRecipe Adjusted(MiniatureRecipe recipe, int batch, double rate) => recipe with
    {
        VaeTraining = recipe.VaeTraining with
        {
            BatchSize = batch > 0 ? batch : recipe.VaeTraining.BatchSize,
            LearningRate = rate > 0 ? rate : recipe.VaeTraining.LearningRate,
        },
        DiffusionTraining = recipe.DiffusionTraining with
        {
            BatchSize = batch > 0 ? batch : recipe.DiffusionTraining.BatchSize,
            LearningRate = rate > 0 ? rate : recipe.DiffusionTraining.LearningRate,
        },
        ClassifierTraining = recipe.ClassifierTraining with
        {
            BatchSize = batch > 0 ? batch : recipe.ClassifierTraining.BatchSize,
            LearningRate = rate > 0 ? rate : recipe.ClassifierTraining.LearningRate,
        },
    };

    private static Device ParseDevice(string name) => name switch
    {
        "auto" => cuda.is_available() ? CUDA : CPU,
        "cpu" => CPU,
        "cuda" => CUDA,
        _ => throw new UsageException($"--device is '{name}'; valid are {string.Join(", ", Devices)}."),
    };
}
