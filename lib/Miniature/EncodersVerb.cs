using System.CommandLine;
using Dreambooth.Lab.Cli;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.Pretraining;

namespace Dreambooth.Lab.Miniature;

/// <summary><c>encoders</c>: trains the small image encoders that prove the judge on the miniature.</summary>
internal static class EncodersVerb
{
    private static readonly string[] Both = [DinoTraining.Name, ClipTraining.Name];

    public static Command Create(Session session, Func<string, TorchSharp.torch.Device> device)
    {
        var verb = new Command(
            "encoders", "Trains two small image encoders on painted pictures: one of DINO's architecture, which tells individuals "
                + "apart, and a CLIP. They ship in data/sd3-mini-encoders.");
        var output = verb.AddText("--output", "FOLDER", "Folder for both model folders and curves.", "outputs/miniature/encoders");
        var part = verb.AddText("--part", "NAME", "dino, clip or both, one after the other.", "both");
        var where = verb.AddText("--device", "NAME", "auto, cpu or cuda.", "auto");
        var minutes = verb.AddNumber("--minutes", "Minutes of training of each; painting is not counted.", 12.0);
        var steps = verb.AddNumber("--max_steps", "Steps after which each ends in any case.", long.MaxValue);
        var pictures = verb.AddNumber("--pictures", "Painted pictures with captions to train CLIP on.", 16_384);
        var pool = verb.AddText("--pool", "FOLDER", "Keep painted pictures here and use them again.", null);
        var threads = verb.AddNumber("--threads", "Threads that paint.", Math.Max(1, Environment.ProcessorCount - 2));
        var report = verb.AddNumber("--report_seconds", "Seconds between figures and saved weights.", 60.0);
        var tiny = verb.AddSwitch("--tiny", "A recipe of the same kind that trains in seconds, to try the command.");
        verb.SetAction(result =>
        {
            var name = result.GetValue(part)!;
            if (name != "both" && !Both.Contains(name))
                throw new UsageException($"--part is '{name}'; valid are dino, clip and both.");
            var recipe = result.GetValue(tiny) ? MiniatureRecipe.Tiny : new MiniatureRecipe();
            var options = new PretrainingOptions
            {
                Output = result.GetValue(output)!,
                Device = device(result.GetValue(where)!),
                Minutes = result.GetValue(minutes),
                MaxSteps = result.GetValue(steps),
                Pictures = result.GetValue(pictures),
                Pool = result.GetValue(pool),
                RenderThreads = result.GetValue(threads),
                ReportSeconds = result.GetValue(report),
                Log = session.Output.WriteLine,
                Cancellation = session.Cancellation,
            };
            if (name != ClipTraining.Name)
                DinoTraining.Run(recipe, options);
            if (name != DinoTraining.Name)
                ClipTraining.Run(recipe, options);
            return session.Cancellation.IsCancellationRequested ? ExitCode.Cancelled : ExitCode.Success;
        });
        return verb;
    }
}
