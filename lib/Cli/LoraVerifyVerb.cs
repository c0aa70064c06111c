using System.CommandLine;
using System.Globalization;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora verify</c>: whether a LoRA acts the same in every layout.</summary>
internal static class LoraVerifyVerb
{
    public static Command Create(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "A LoRA file of any layout, or a folder that holds one." };
        var verb = new Command(
            "verify",
            "Writes a LoRA in every layout, loads each file back, and compares the transformer's output and a picture with the file's own, "
            + "in fp32. The exit code is 1 where a layout acts otherwise.")
        { file };
        var model = verb.AddText("--model", "FOLDER|FILE", "The model that the LoRA is for.", "data/sd3-mini");
        var keep = verb.AddText("--keep", "FOLDER", "Keep the written files here, with inputs and outputs.", null);
        var prompt = verb.AddText("--prompt", "TEXT", "The picture's prompt.", "a photo of gmc cat");
        var steps = verb.AddNumber("--num_steps", "Denoising steps of the picture.", 4);
        var tokenizers = verb.AddText("--tokenizers", "FOLDER", "Folder with clip/ and t5/, where the model folder has none.", null);
        var device = verb.AddText("--device", "DEVICE", "Where to compute: auto, cpu, cuda or cuda:N.", "auto");
        verb.SetAction(result =>
        {
            var request = new GenerationRequest { Prompts = [result.GetValue(prompt)!], NumInferenceSteps = result.GetValue(steps) };
            request.Validate();
            var options = PipelineOptions.Parse(result.GetValue(device)!, "fp32") with { TokenizersFolder = result.GetValue(tokenizers) };
            using var pipeline = StableDiffusion3Pipeline.Load(result.GetValue(model)!, options);
            pipeline.Prompts.Warn = null;
            var kept = result.GetValue(keep);
            var folder = kept ?? Directory.CreateTempSubdirectory("lab-verify-").FullName;
            try
            {
                return Run(pipeline, request, result.GetValue(file)!, folder, session);
            }
            finally
            {
                if (kept is null)
                    Directory.Delete(folder, recursive: true);
            }
        });
        return verb;
    }

    private static int Run(StableDiffusion3Pipeline pipeline, GenerationRequest request, string file, string folder, Session session)
    {
        session.Output.WriteLine("layout      output   pixels  largest differences: relative to the output's largest value; of 255");
        var checks = new LoraVerification(pipeline, request).Run(file, folder, check =>
        {
            session.Output.WriteLine(check.Refusal is { } refusal
                ? $"{check.Layout,-10}  -             -  {refusal}"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"{check.Layout,-10}  {check.Output,-8:0.0e+0}  {check.Pixels,5}  {(check.IsSame ? "the same" : "not the same")}"));
            foreach (var note in check.Notes)
                session.Output.WriteLine($"            {note}");
            session.Output.Flush();
        });
        return checks.Any(check => check.Refusal is null && !check.IsSame) ? ExitCode.Failure : ExitCode.Success;
    }
}
