using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// What a notebook's cells print, on its way to the terminal: their colours (SGR codes) pass where the output is a terminal and are taken
/// out where it is none; all other codes are shown instead of acted on.
/// </summary>
/// <param name="session">Where it goes.</param>
internal sealed partial class CellText(Session session)
{
    private string _rest = string.Empty;
    private bool _isColoured;

    /// <summary>Writes a piece of output; a code may be cut between two pieces.</summary>
    public void Write(string text)
    {
        text = _rest + text;
        _rest = BegunCode.Match(text).Value;
        text = text[..^_rest.Length];
        if (session.IsInteractive && session.Output is PlainWriter writer)
        {
            if (Colour.Matches(text) is [.., var last])
                _isColoured = last.Value is not ("\e[0m" or "\e[m");
            writer.WriteWith(Colour, text);
        }
        else
        {
            session.Output.Write(Colour.Replace(text, string.Empty));
        }
    }

    /// <summary>Ends a cell's output: its last colour is not that of what follows.</summary>
    public void End()
    {
        session.Output.Write(_rest);
        _rest = string.Empty;
        if (_isColoured)
            (session.Output as PlainWriter)?.WriteWith(Colour, "\e[0m");
        _isColoured = false;
    }

    [GeneratedRegex(@"\e\[[0-9;:]*m", RegexOptions.CultureInvariant)]
    private static partial Regex Colour { get; }

    [GeneratedRegex(@"\e(\[[0-9;:]{0,40})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex BegunCode { get; }
}
