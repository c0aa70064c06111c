namespace Dreambooth.Lab.Cli;

internal static class Program
{
    public static int Main(string[] args)
    {
        System.Console.WriteLine(args.Length);
        return 0;
    }
}
