using Dreambooth.Lab.Cli;

namespace Dreambooth.Lab.Miniature;

/// <summary>The program's start.</summary>
internal static class Program
{
    private static int Main(string[] args) => Cli.Program.Start(session =>
        LabCommandLine.Run(args, session, MiniatureCommandLine.Create, "dotnet run --project lib/Miniature --"));
}
