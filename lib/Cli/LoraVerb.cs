using System.CommandLine;
using Dreambooth.Lab.Peft;

namespace Dreambooth.Lab.Cli;

/// <summary><c>lora</c>: what LoRA files hold, and new ones made of them.</summary>
internal static class LoraVerb
{
    public static Command Create(Session session) => new("lora", "LoRA files: what they hold, and others made of them.")
    {
        LoraInspectVerb.Create(session),
        Convert(session),
        LoraDiffVerb.Create(session),
        LoraResizeVerb.Create(session),
        LoraMergeVerb.Create(session),
        LoraExtractVerb.Create(session),
        LoraVerifyVerb.Create(session),
    };

    private static Command Convert(Session session)
    {
        var file = new Argument<string>("FILE") { Description = "A LoRA file of any layout, or a folder that holds one." };
        var verb = new Command("convert", "Writes a LoRA in another layout; what that cannot express is told.") { file };
        var output = new LoraOutput(verb, isLayoutRequired: true);
        verb.SetAction(result =>
        {
            var read = LoraFile.Resolve(result.GetValue(file)!);
            var (path, layout) = output.Of(result, read);
            output.RequireNew(result, path, layout);
            using var contents = LoraContents.Read(read);
            foreach (var warning in contents.Warnings.Concat(LoraExport.Save(path, contents, layout)))
                session.Warn(warning);
            session.Output.WriteLine(LoraOutput.Written(path, contents, layout));
            return ExitCode.Success;
        });
        return verb;
    }
}
