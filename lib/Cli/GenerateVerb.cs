using System.CommandLine;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Cli;

/// <summary><c>generate</c>: prompts, a model and LoRA in, pictures out.</summary>
internal static class GenerateVerb
{
    public static Command Create(Session session)
    {
        var verb = new Command("generate", "Draws pictures for one prompt or a file of prompts, with or without LoRA. Flags are those of the DreamBooth "
            + "tutorial's inference.py and more; the size is the model's own unless --height and --width say otherwise.");
        var options = new FlagOptions<GenerateConfig>(verb, GenerateConfig.Flags, GenerateConfig.UnusedFlags);
        GroupedHelp.Describe(verb, GenerateConfig.Flags.All);
        verb.SetAction(result =>
        {
            var config = ReadConfig(options.Read(result, session.Warn), session);
            return Run(config, session);
        });
        return verb;
    }

    private static GenerateConfig ReadConfig(Dictionary<Flag, object?> given, Session session)
    {
        var config = GenerateConfig.Flags.Build(given);
        try
        {
            config.Validate();
        }
        catch (LabException error)
        {
            throw new UsageException(error.Message);
        }

        if (config.Prompt is not null && config.PromptsFile is not null)
            session.Warn("--prompt has no effect beside --prompts_file.");
        return config;
    }

    private static int Run(GenerateConfig config, Session session)
    {
        var prompts = config.ReadPrompts();
        throw new LabException($"Generating {prompts.Count} prompts into {config.OutputDir} is not part of this build.");
    }
}
