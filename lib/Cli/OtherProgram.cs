using System.CommandLine;

namespace Dreambooth.Lab.Cli;

/// <summary>A verb that is a separate program: prints how to start it.</summary>
internal static class OtherProgram
{
    public static Command Create(string name, string does, string project, Session session)
    {
        var verb = new Command(
            name, $"{does}: a program of its own, `dotnet run --project {project} -- ...`.")
        { TreatUnmatchedTokensAsErrors = false };
        verb.SetAction(result =>
        {
            session.Fail(
                $"{name} is a program of its own: dotnet run --project {project} -- {string.Join(' ', result.UnmatchedTokens)}".TrimEnd());
            return ExitCode.Usage;
        });
        return verb;
    }
}
