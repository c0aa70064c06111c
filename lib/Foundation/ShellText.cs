namespace Dreambooth.Lab.Foundation;

/// <summary>Texts as a POSIX shell reads them back, for commands that a reader copies.</summary>
internal static class ShellText
{
    private const string Plain = "-_./:@%+=,";

    // Inside double quotes these still mean something, the last one where commands are typed.
    private const string Special = "\"$`\\!";

    /// <summary>A word, in single quotes where the shell would read it otherwise.</summary>
    public static string Word(string text) =>
        text.Length > 0 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || Plain.Contains(letter, StringComparison.Ordinal))
            ? text : Single(text);

    /// <summary>A text in quotes: double ones where they are enough.</summary>
    public static string Quoted(string text) => text.AsSpan().ContainsAny(Special) ? Single(text) : $"\"{text}\"";

    /// <summary>A path near the project or the home folder, as <see cref="ProjectFolder.Near"/> has it; never read as a flag.</summary>
    public static string Path(string path)
    {
        const string Home = "~/";
        var near = ProjectFolder.Near(path);
        return near.StartsWith(Home, StringComparison.Ordinal) ? Home + Word(near[Home.Length..])
            : near.StartsWith('-') ? Word($"./{near}")
            : Word(near);
    }

    private static string Single(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
