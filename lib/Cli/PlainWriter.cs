using System.Text;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// The filter between the program and the terminal: escape codes in prompts, file names and server responses are shown, not executed, and
/// access tokens are removed.
/// </summary>
/// <param name="inner">Where it goes in the end.</param>
internal sealed partial class PlainWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    /// <summary>A text as it may be shown.</summary>
    public static string Clean(string text) => Token.Replace(ShownText.Lines(text), "hf_…");

    public override void Write(char value)
    {
        // Half of a pair comes with the other half in the next call.
        if (char.IsSurrogate(value))
            inner.Write(value);
        else
            inner.Write(Clean(value.ToString()));
    }

    public override void Write(string? value) => inner.Write(value is null ? null : Clean(value));

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine() => inner.WriteLine();

    public override void WriteLine(string? value) => inner.WriteLine(value is null ? null : Clean(value));

    /// <summary>Writes a text in which some codes are wanted.</summary>
    /// <param name="wanted">Matches these codes.</param>
    /// <param name="text">The text.</param>
    public void WriteWith(Regex wanted, string text)
    {
        var from = 0;
        foreach (Match code in wanted.Matches(text))
        {
            Write(text[from..code.Index]);
            inner.Write(code.Value);
            from = code.Index + code.Length;
        }

        Write(text[from..]);
    }

    public override void Flush() => inner.Flush();

    // The form of the hub's tokens; a token typed in the wrong place must not be repeated.
    [GeneratedRegex("hf_[A-Za-z0-9]{8,}", RegexOptions.CultureInvariant)]
    private static partial Regex Token { get; }
}
