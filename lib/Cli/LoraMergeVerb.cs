using System.CommandLine;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora merge</c>: several LoRAs as one, or a model with LoRAs in its weights.</summary>
internal static class LoraMergeVerb
{
    public static Command Create(Session session)
    {
        var files = new Argument<string[]>("FILE[=WEIGHT]")
        {
            Description = "LoRA files of any layout, or folders that hold one, each with its weight [default: 1].",
            Arity = ArgumentArity.OneOrMore,
        };
        var verb = new Command(
            "merge",
            "Writes one LoRA that acts as several at their weights. Its ranks are the sums of theirs; --rank or --energy makes it smaller, "
            + "each layer the nearest change of its rank. With --into it writes a model with the LoRAs in its weights.")
        { files };
        var into = verb.AddText(
            "--into", "MODEL", "The model, a folder or one file in the original layout; --output is a folder or a file as it is.", null);
        var ranks = new LoraRankOptions(verb);
        var output = new LoraOutput(verb);
        verb.SetAction(result =>
        {
            var loras = result.GetValue(files)!.Select(WeightedLora.Parse)
                .Select(lora => lora with { Path = LoraFile.Resolve(lora.Path) }).ToList();
            var choice = ranks.Of(result);
            if (choice.IsGiven)
                choice.Validate();
            var model = result.GetValue(into);
            if (model is not null && (choice.IsGiven || output.HasLayout(result)))
                throw new UsageException("--into writes a model: --rank, --energy and --to do not go with it.");
            var (path, layout) = output.Of(result, [.. loras.Select(lora => lora.Path), .. model is null ? [] : new[] { model }]);
            if (model is null)
                output.RequireNew(result, path, layout);
            var read = new List<(LoraContents Contents, double Weight)>();
            try
            {
                foreach (var lora in loras)
                    read.Add((LoraContents.Read(lora.Path), lora.Weight));
                foreach (var warning in read.SelectMany(lora => lora.Contents.Warnings).Distinct())
                    session.Warn(warning);
                var sources = loras.Select(lora => (lora.Path, (double?)lora.Weight));
                if (model is not null)
                {
                    Into(model, path, read, LoraOrigin.Json("lora merge --into", sources), session);
                    return ExitCode.Success;
                }

                using var merged = LoraMerge.Of(read);
                foreach (var warning in LoraMerge.Warnings(read))
                    session.Warn(warning);
                Write(merged, choice, path, layout, LoraOrigin.Of($"lora merge{LoraRankOptions.Text(choice)}", sources), session);
            }
            finally
            {
                read.ForEach(lora => lora.Contents.Dispose());
            }

            return ExitCode.Success;
        });
        return verb;
    }

    private static void Into(
        string model, string path, List<(LoraContents Contents, double Weight)> loras, JsonObject origin, Session session)
    {
        origin["model"] = Path.GetFileName(Path.TrimEndingDirectorySeparator(model));
        var left = new ModelMerge(loras, session.Cancellation).Run(model, path, origin, session.Output.WriteLine);
        foreach (var warning in left)
            session.Warn(warning);
    }

    private static void Write(
        LoraContents merged, LoraRankChoice choice, string path, string layout, Dictionary<string, string> notes, Session session)
    {
        if (!choice.IsGiven)
        {
            Write(merged);
            return;
        }

        var (resized, layers) = LoraResize.Run(merged, choice, session.Cancellation);
        using (resized)
        {
            foreach (var line in LoraResizeVerb.Lines(layers, 0))
                session.Output.WriteLine(line);
            Write(resized);
        }

        void Write(LoraContents contents)
        {
            foreach (var warning in LoraExport.Save(path, contents, layout, notes))
                session.Warn(warning);
            session.Output.WriteLine(LoraOutput.Written(path, contents, layout));
        }
    }
}
