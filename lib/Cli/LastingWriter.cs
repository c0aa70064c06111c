using System.Text;

namespace Dreambooth.Lab.Cli;

/// <summary>
/// A terminal that may disappear, as with a dropped SSH session: later output is lost, and the work continues to the point where it can be
/// saved.
/// </summary>
internal sealed class LastingWriter(TextWriter inner) : TextWriter
{
    private bool _isGone;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        if (_isGone)
            return;
        try
        {
            write();
        }
        catch (IOException)
        {
            _isGone = true;
        }
    }
}
