namespace Dreambooth.Lab.Cli;

internal static class Program
{
    public static int Main(string[] args)
    {
        // A file or pipe that cannot be written to is an error; a terminal that is gone is none.
        if (!Console.IsOutputRedirected)
            Console.SetOut(new LastingWriter(Console.Out));
        if (!Console.IsErrorRedirected)
            Console.SetError(new LastingWriter(Console.Error));
        using var signals = new CancelSignals(Console.Error);
        return LabCommandLine.Run(args, new Session(Console.Out, Console.Error, !Console.IsOutputRedirected, signals.Token));
    }
}
