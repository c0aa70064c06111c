using System.Text;

namespace Dreambooth.Lab.Kernel.Streams;

/// <summary>
/// Sends what code writes to <see cref="Console"/> to the cell that it belongs to, on whichever thread, and reads from the client.
/// </summary>
internal static class CellConsole
{
    private static TextWriter? s_output;
    private static TextWriter? s_error;
    private static TextReader? s_input;

    /// <summary>The host of the cell that the calling code belongs to; outside of cells the last one that ran.</summary>
    public static ICellHost? Current => Engine.CellInterrupt.Current?.Owner as ICellHost ?? Latest;

    /// <summary>The host of the cell that runs now or ran last; takes output of native code and of threads without a cell.</summary>
    public static ICellHost? Latest { get; set; }

    /// <summary>Takes over the console of this process.</summary>
    /// <param name="log">Takes output while no cell has run yet.</param>
    public static void Install(TextWriter log)
    {
        Console.SetOut(new Writer("stdout", log));
        Console.SetError(new Writer("stderr", log));
        Console.SetIn(new Reader());
        (s_output, s_error, s_input) = (Console.Out, Console.Error, Console.In);
    }

    /// <summary>Takes the console back from a cell that redirected it: a redirection lasts until the end of its cell.</summary>
    public static void Restore()
    {
        if (s_output is null)
            return;
        if (Console.Out != s_output)
            Console.SetOut(s_output);
        if (Console.Error != s_error)
            Console.SetError(s_error!);
        if (Console.In != s_input)
            Console.SetIn(s_input!);
    }

    private sealed class Writer(string stream, TextWriter log) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void Write(string? value)
        {
            if (string.IsNullOrEmpty(value))
                return;
            if (Current is { } cell)
                cell.Stream(stream, value);
            else
                log.Write(value);
        }

        public override void WriteLine(string? value) => Write(value + "\n");

        public override void WriteLine() => Write("\n");
    }

    private sealed class Reader : TextReader
    {
        private string _line = "";
        private int _position;

        public override int Peek() => _position < _line.Length ? _line[_position] : -1;

        public override int Read()
        {
            if (_position >= _line.Length)
                (_line, _position) = (ReadLine() + "\n", 0);
            return _line[_position++];
        }

        public override string? ReadLine()
        {
            if (_position < _line.Length)
            {
                var rest = _line[_position..].TrimEnd('\n');
                (_line, _position) = ("", 0);
                return rest;
            }

            return Current?.ReadLine("", password: false);
        }

        public override string ReadToEnd() => ReadLine() ?? "";
    }
}
