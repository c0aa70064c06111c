using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>Prompt files: UTF-8, or UTF-16 with a byte order mark; one prompt a line, without blank lines; no comments.</summary>
public static class PromptList
{
    /// <summary>The lists for general models; relative to the project.</summary>
    public const string Folder = "data/prompts";

    /// <summary>The lists in the miniature's vocabulary; relative to the project.</summary>
    public const string MiniatureFolder = "data/prompts/miniature";

    internal const string ListedSubject = "gmc cat";

    /// <summary>Reads a prompt file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The prompts in order, trimmed; at least one.</returns>
    /// <exception cref="LabException">The file is missing, is in another encoding, or has no prompt or one that is too long.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var prompts = Parse(TextFile.Read(path, "The prompt file"), path);
        for (var i = 0; i < prompts.Count; i++)
            PromptText.Check(prompts[i], $"Prompt {i + 1} of {path}");
        return prompts;
    }

    /// <summary>Reads one of the project's prompt lists, rewritten for another subject on request.</summary>
    /// <param name="family">The list's name: recontextualization, art, property or validation.</param>
    /// <param name="subject">Identifier and class that stand in the place of "gmc cat".</param>
    /// <param name="folder">The lists' folder, absolute or relative to the project.</param>
    /// <exception cref="LabException">There is no such list.</exception>
    public static IReadOnlyList<string> OfFamily(string family, string subject = ListedSubject, string folder = MiniatureFolder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(family);
        ArgumentException.ThrowIfNullOrWhiteSpace(subject);
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        var path = Path.Combine(ProjectFolder.Find(), folder, family + ".txt");
        return [.. Read(path).Select(prompt => prompt.Replace(ListedSubject, subject.Trim(), StringComparison.Ordinal))];
    }

    /// <summary>The same of a prompt file's text, of which there must be some.</summary>
    internal static IReadOnlyList<string> Parse(string text, string path) => Parse(text) is { Count: > 0 } prompts
        ? prompts : throw new LabException($"The prompt file {path} has no prompt; it must have one a line.");

    /// <summary>Takes the prompts out of a text: one a line, trimmed, blank lines left out.</summary>
    /// <param name="text">The whole text.</param>
    public static IReadOnlyList<string> Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. text.Split(["\r\n", "\n", "\r"], StringSplitOptions.None).Select(line => line.Trim()).Where(line => line.Length > 0)];
    }
}
