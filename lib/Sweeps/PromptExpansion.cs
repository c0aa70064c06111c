using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Sweeps;

/// <summary>Prompts from templates, for a subject of any class.</summary>
internal static class PromptExpansion
{
    private const string Subject = "{subject}", Attribute = "{attribute}", Style = "{style}";

    /// <summary>The lists that the project ships.</summary>
    public static IReadOnlyList<string> Lists { get; } = ["recontextualization", "art", "property", "validation"];

    /// <summary>
    /// One of the project's lists for a subject: it stands where they say "gmc cat", its class where they say "cat" alone.
    /// </summary>
    /// <param name="list">One of <see cref="Lists"/>.</param>
    /// <param name="subject">Identifier and class, as "xyz dog"; a single word is both.</param>
    /// <param name="folder">The lists' folder.</param>
    public static IReadOnlyList<string> OfList(string list, string subject, string folder = PromptList.Folder)
    {
        var kind = ClassOf(subject);
        return [.. PromptList.OfFamily(list, Subject, folder)
            .Select(prompt => Regex.Replace(prompt, @"\bcat\b", _ => kind).Replace(Subject, subject.Trim(), StringComparison.Ordinal))];
    }

    /// <summary>DreamBooth's own templates for a subject.</summary>
    /// <param name="templates">Texts where <c>{0}</c> stands for the unique token and <c>{1}</c> for the class.</param>
    /// <param name="subject">Identifier and class, as "xyz dog"; a single word stands for both.</param>
    public static IReadOnlyList<string> OfTemplates(IEnumerable<string> templates, string subject)
    {
        var kind = ClassOf(subject);
        var token = subject.Trim() == kind ? string.Empty : subject.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return [.. templates.Select(text => string.Join(' ', text.Replace("{0}", token, StringComparison.Ordinal)
            .Replace("{1}", kind, StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries)))];
    }

    /// <summary>Every template with every attribute and style.</summary>
    /// <param name="templates">Texts with {subject} and, where they shall vary, {attribute} and {style}; none: one that fits.</param>
    /// <param name="subject">Identifier and class.</param>
    /// <param name="attributes">What stands for {attribute}, as "red".</param>
    /// <param name="styles">What stands for {style}, as "an oil painting".</param>
    /// <returns>Template by template, attribute by attribute; each prompt once.</returns>
    /// <exception cref="LabException">A template lacks {subject}, or has a place that nothing is given for, or the reverse.</exception>
    public static IReadOnlyList<string> Grid(
        IReadOnlyList<string> templates, string subject, IReadOnlyList<string> attributes, IReadOnlyList<string> styles)
    {
        if (templates.Count == 0)
            templates = [$"{(styles.Count > 0 ? Style : "a photo")} of {(attributes.Count > 0 ? $"{Attribute} " : string.Empty)}{Subject}"];
        foreach (var template in templates)
            Require(template, attributes, styles);
        return [.. (from template in templates
                    from attribute in attributes.DefaultIfEmpty(string.Empty)
                    from style in styles.DefaultIfEmpty(string.Empty)
                    select template.Replace(Attribute, attribute.Trim(), StringComparison.Ordinal)
                        .Replace(Style, style.Trim(), StringComparison.Ordinal)
                        .Replace(Subject, subject.Trim(), StringComparison.Ordinal)).Distinct()];
    }

    private static void Require(string template, IReadOnlyList<string> attributes, IReadOnlyList<string> styles)
    {
        if (!template.Contains(Subject, StringComparison.Ordinal))
            throw new UsageException($"The template '{ShownText.Line(template)}' has no {Subject}; it must say where the subject stands.");
        foreach (var (place, values, option) in new[] { (Attribute, attributes, "attributes"), (Style, styles, "styles") })
        {
            if (template.Contains(place, StringComparison.Ordinal) != values.Count > 0)
            {
                throw new UsageException(values.Count > 0
                    ? $"The template '{ShownText.Line(template)}' has no {place}, though --{option} are given."
                    : $"The template '{ShownText.Line(template)}' has {place}, but no --{option} are given.");
            }
        }
    }

    /// <summary>The class of a subject: all but its first word, or its only one.</summary>
    public static string ClassOf(string subject)
    {
        var words = subject.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 1 ? string.Join(' ', words[1..]) : subject.Trim();
    }
}
