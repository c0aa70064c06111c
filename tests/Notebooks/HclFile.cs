using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Tests.Notebooks;

/// <summary>
/// Reads what the project uses of Terraform's language: blocks, attributes, objects, lists, calls, references with indices, strings with
/// templates. Anything else is an error, with its line.
/// </summary>
internal sealed class HclFile
{
    private readonly string _text;
    private int _at;

    private HclFile(string text) => _text = text;

    /// <summary>References such as <c>var.user</c>, with all that follows the name.</summary>
    public List<string> References { get; } = [];

    /// <summary>
    /// Attributes by their path, blocks and labels included, with their text: <c>resource.type.name.boot_disk.attach_mode</c>.
    /// </summary>
    public Dictionary<string, string> Attributes { get; } = [];

    public static HclFile Parse(string text)
    {
        var file = new HclFile(text);
        file.Body(string.Empty, '\0');
        return file;
    }

    private char Next => _at < _text.Length ? _text[_at] : '\0';

    private FormatException Error(string expected) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"line {_text[..Math.Min(_at, _text.Length)].Count(c => c == '\n') + 1}: {expected} is expected, not '{Next}'"));

    private void Expect(char c)
    {
        if (Next != c)
            throw Error($"'{c}'");
        _at++;
    }

    private void Blank(bool lines)
    {
        while (Next is ' ' or '\t' || (lines && Next == '\n') || Next == '#')
        {
            if (Next == '#')
                _at = _text.IndexOf('\n', _at) is var end and >= 0 ? end : _text.Length;
            else
                _at++;
        }
    }

    private string Name()
    {
        var start = _at;
        while (char.IsAsciiLetterOrDigit(Next) || Next is '_' or '-')
            _at++;
        return _at > start ? _text[start.._at] : throw Error("a name");
    }

    private void Body(string path, char end)
    {
        for (Blank(lines: true); Next != end; Blank(lines: true))
        {
            var name = path + (path.Length == 0 ? string.Empty : ".") + Name();
            Blank(lines: false);
            if (Next == '=')
            {
                Assign(name);
            }
            else
            {
                for (; Next == '"'; Blank(lines: false))
                    name += "." + Text();
                Expect('{');
                Body(name, '}');
                Expect('}');
            }

            Blank(lines: false);
            if (Next != '\n' && Next != end)
                throw Error("the end of the line");
        }
    }

    private void Assign(string path)
    {
        Expect('=');
        Blank(lines: false);
        var start = _at;
        Value(path);
        Attributes.Add(path, _text[start.._at]);
    }

    private void Value(string path)
    {
        switch (Next)
        {
            case '"':
                Text();
                break;
            case '{':
                _at++;
                Body(path, '}');
                Expect('}');
                break;
            case '[':
                Items(path, ']');
                break;
            case >= '0' and <= '9':
                while (char.IsAsciiDigit(Next))
                    _at++;
                break;
            default:
                Reference(path);
                break;
        }
    }

    private void Items(string path, char end)
    {
        _at++;
        Blank(lines: true);
        for (var i = 0; Next != end; i++)
        {
            Value(string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"));
            Blank(lines: true);
            if (Next != end)
                Expect(',');
            Blank(lines: true);
        }

        _at++;
    }

    private void Reference(string path)
    {
        var start = _at;
        Name();
        if (Next == '(')
        {
            Items(path + "()", ')');
            start = -1;
        }

        while (Next is '.' or '[')
        {
            if (Next == '.')
            {
                _at++;
                Name();
            }
            else
            {
                _at++;
                Value(path + "[]");
                Expect(']');
            }
        }

        if (start >= 0)
            References.Add(_text[start.._at]);
    }

    private string Text()
    {
        Expect('"');
        var text = new StringBuilder();
        while (Next != '"')
        {
            if (Next is '\n' or '\0')
                throw Error("the string's end");
            if (Next == '\\')
                _at++;
            if (_text.AsSpan(_at).StartsWith("${"))
            {
                _at += 2;
                Value("${}");
                Expect('}');
                continue;
            }

            text.Append(Next);
            _at++;
        }

        _at++;
        return text.ToString();
    }
}
