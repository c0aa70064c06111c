using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Sweeps;

/// <summary>What can be read of a picture that another program made.</summary>
internal static partial class ForeignPicture
{
    private const int MostShown = 200;

    // A1111's names, and the flags that take their values.
    private static readonly (string Name, string Flag)[] Flags = [("Steps", "num_steps"), ("CFG scale", "guidance"), ("Seed", "seed")];

    /// <summary>Says why a picture cannot be repeated, and what its file tells.</summary>
    /// <param name="path">The picture.</param>
    /// <param name="content">The whole file.</param>
    public static LabException Explain(string path, byte[] content)
    {
        const string Needed = "only pictures of generate, sweeps and training have the record that repeats them";
        if (ImageNote.ReadText(content, "parameters") is { } parameters)
        {
            var settings = Parse(parameters);
            var command = Command(settings);
            return new LabException(
                $"{path} cannot be repeated: {Needed}. It has the settings that A1111 and others write: "
                + $"{ShownText.Line(parameters, MostShown)} Not among them: how the noise is drawn, the model by its contents, precision "
                + $"and batch. Something like it: {command}");
        }

        (string Keyword, string What)[] others =
            [("prompt", "ComfyUI's graph"), ("workflow", "ComfyUI's graph"), ("invokeai_metadata", "InvokeAI's settings")];
        var found = Array.Find(others, other => ImageNote.ReadText(content, other.Keyword) is not null).What;
        return new LabException($"{path} cannot be repeated: {Needed}. " + (found is null
            ? "It tells nothing of how it was made; programs that send pictures on often leave it out."
            : $"It has {found}, of which nothing is read."));
    }

    // A stranger's text in a command that may be copied into a shell.
    private static string Quoted(string flag, string text) => $"{flag} {ShellText.Quoted(ShownText.Line(text, MostShown))}";

    private static string Command(Dictionary<string, string> settings)
    {
        var parts = new List<string> { "generate --model MODEL", Quoted("--prompt", settings["prompt"]) };
        if (settings.TryGetValue("negative", out var negative))
            parts.Add(Quoted("--negative_prompt", negative));
        foreach (var (name, flag) in Flags)
        {
            if (settings.TryGetValue(name, out var value) && double.TryParse(value, CultureInfo.InvariantCulture, out _))
                parts.Add($"--{flag} {value}");
        }

        if (settings.TryGetValue("Size", out var size) && SizeText().Match(size) is { Success: true } match)
            parts.Add($"--width {match.Groups[1].Value} --height {match.Groups[2].Value}");
        return string.Join(' ', parts);
    }

    // The prompt, then "Negative prompt: …", then one line of "Name: value, Name: value".
    private static Dictionary<string, string> Parse(string parameters)
    {
        var lines = parameters.ReplaceLineEndings("\n").Split('\n');
        var last = Array.FindLastIndex(lines, line => line.StartsWith("Steps: ", StringComparison.Ordinal));
        var texts = last < 0 ? lines : lines[..last];
        var negative = Array.FindIndex(texts, line => line.StartsWith("Negative prompt: ", StringComparison.Ordinal));
        var read = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["prompt"] = LoraText().Replace(string.Join('\n', negative < 0 ? texts : texts[..negative]), string.Empty).Trim(),
        };
        if (negative >= 0)
            read["negative"] = string.Join('\n', texts[negative..])["Negative prompt: ".Length..].Trim();
        foreach (Match match in SettingText().Matches(last < 0 ? string.Empty : lines[last]))
            read[match.Groups[1].Value] = match.Groups[2].Value.Trim();
        return read;
    }

    [GeneratedRegex(@"\s*([\w ]+): *(""[^""]*""|[^,]*)(?:,|$)", RegexOptions.CultureInvariant)]
    private static partial Regex SettingText();

    [GeneratedRegex(@"^(\d{1,5})x(\d{1,5})$", RegexOptions.CultureInvariant)]
    private static partial Regex SizeText();

    [GeneratedRegex(@"<lora:[^<>]*>", RegexOptions.CultureInvariant)]
    private static partial Regex LoraText();
}
