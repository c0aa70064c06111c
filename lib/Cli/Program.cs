namespace Dreambooth.Lab.Cli;

internal static class Program
{
    public static int Main(string[] args)
    {
        using var signals = new CancelSignals(Console.Error);
        return LabCommandLine.Run(args, new Session(Console.Out, Console.Error, !Console.IsOutputRedirected, signals.Token));
    }
}
