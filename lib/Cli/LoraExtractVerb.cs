using System.CommandLine;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora extract</c>: the difference between two models as a LoRA.</summary>
internal static class LoraExtractVerb
{
    public static Command Create(Session session)
    {
        var tuned = new Argument<string>("TUNED") { Description = "A model folder, or one file in the original layout." };
        var first = new Argument<string>("BASE") { Description = "The model that it was tuned from, in either form." };
        var verb = new Command(
            "extract",
            "Writes the difference between a tuned model and the one it was tuned from as a LoRA, each layer the nearest change of its "
            + "rank, and tells each layer's error.")
        { tuned, first };
        var ranks = new LoraRankOptions(verb);
        var listed = verb.AddNumber("--layers", "How many layers are listed, those with the largest error first.", 10);
        var output = new LoraOutput(verb);
        verb.SetAction(result =>
        {
            var choice = ranks.Of(result);
            choice.Validate();
            string[] models = [result.GetValue(tuned)!, result.GetValue(first)!];
            var (path, layout) = output.Of(result, models);
            output.RequireNew(result, path, layout);
            using var after = ModelWeights.Open(models[0]);
            using var before = ModelWeights.Open(models[1]);
            var extraction = new LoraExtraction(choice, session.Cancellation);
            using var contents = extraction.Run(after, before, layer =>
            {
                if (session.IsInteractive)
                    session.Output.Write($"\r{extraction.Layers.Count} layers ");
            });
            if (session.IsInteractive)
                session.Output.WriteLine();
            var notes = LoraOrigin.Of(
                $"lora extract{LoraRankOptions.Text(choice)}", after.Files.Concat(before.Files).Select(file => (file, (double?)null)));
            foreach (var warning in extraction.Warnings.Concat(LoraExport.Save(path, contents, layout, notes)))
                session.Warn(warning);
            foreach (var line in LoraResizeVerb.Lines(extraction.Layers, result.GetValue(listed), isNew: true))
                session.Output.WriteLine(line);
            session.Output.WriteLine(LoraOutput.Written(path, contents, layout));
            return ExitCode.Success;
        });
        return verb;
    }
}
