using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// Looks through a prompt file: prompts that an encoder cuts, that lack the identifier, that come twice, or that have weights.
/// </summary>
internal sealed partial record PromptLint
{
    /// <summary>The word that stands for the subject; null: not looked for.</summary>
    public string? Identifier { get; init; }

    /// <summary>Tokenizers with the tokens that their encoders read, special ones included; empty: lengths are not looked at.</summary>
    public IReadOnlyList<(string Name, ITextTokenizer Tokenizer, int Window)> Readers { get; init; } = [];

    /// <summary>Looks through a text.</summary>
    /// <param name="text">The file: one prompt a line; blank lines do not count.</param>
    /// <returns>In the order of lines.</returns>
    public IReadOnlyList<PromptFinding> Check(string text)
    {
        var findings = new List<PromptFinding>();
        var first = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (var (index, raw) in text.Split(["\r\n", "\n", "\r"], StringSplitOptions.None).Index())
        {
            var (line, prompt) = (index + 1, raw.Trim());
            if (prompt.Length == 0)
                continue;
            findings.AddRange(Complaints(prompt).Select(complaint => new PromptFinding(line, complaint)));
            var key = Spaces.Replace(prompt, " ");
            if (!first.TryAdd(key, line))
                findings.Add(new PromptFinding(line, $"the same prompt as in line {first[key]}"));
        }

        return findings;
    }

    private IEnumerable<string> Complaints(string prompt)
    {
        if (PromptText.Complaint(prompt, "the prompt") is { } tooLong)
        {
            yield return tooLong.TrimEnd('.');
            yield break;
        }

        foreach (var (name, tokenizer, window) in Readers)
        {
            if (tokenizer.Encode(prompt).Count is var count && count > window)
                yield return $"cut: {name} reads the first {window} of its {count} tokens";
        }

        if (Identifier is { } identifier && !Regex.IsMatch(prompt, $@"(?<!\w){Regex.Escape(identifier)}(?!\w)", RegexOptions.IgnoreCase))
            yield return $"the identifier '{identifier}' is missing: its pictures need not show the subject";
        if (PromptWeights.Parse(prompt) is { Marks: [var mark, ..] })
            yield return $"'{mark.Shown}' is read as plain words without --prompt_weighting";
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces { get; }
}
