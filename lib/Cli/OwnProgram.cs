using System.Reflection;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Cli;

/// <summary>How this program starts itself once more.</summary>
internal static class OwnProgram
{
    /// <summary>The program and the arguments that come before a verb. <c>dotnet Program.dll</c> runs under the name of dotnet.</summary>
    /// <exception cref="LabException">The program's path is not known.</exception>
    public static IReadOnlyList<string> Command
    {
        get
        {
            var host = Environment.ProcessPath ?? throw new LabException("The path of this program cannot be found out.");
            var isDotnet = Path.GetFileNameWithoutExtension(host).Equals("dotnet", StringComparison.OrdinalIgnoreCase);
            return isDotnet ? [host, Assembly.GetEntryAssembly()!.Location] : [host];
        }
    }
}
