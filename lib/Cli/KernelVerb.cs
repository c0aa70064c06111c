using System.CommandLine;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Cli;

/// <summary>The verb <c>kernel</c>: the C# notebook kernel, its installation and its start.</summary>
internal static class KernelVerb
{
    /// <summary>Creates the verb with its sub-verbs.</summary>
    public static Command Create() => new("kernel", "The C# notebook kernel for VS Code, JupyterLab and Jupyter Notebook.")
    {
        KernelStart(),
    };

    /// <summary>What this program tells its kernel.</summary>
    public static KernelOptions Options => new() { Name = "Dreambooth.Lab C#" };

    private static Command KernelStart()
    {
        var file = new Option<FileInfo>("--connection-file", "-f") { Description = "The file that the Jupyter client wrote.", Required = true };
        var limit = new Option<int>("--max-output")
        {
            Description = "Characters of stream output that one cell may send, at least 1.",
            DefaultValueFactory = _ => new KernelOptions().MaxStreamCharacters,
        };
        var command = new Command("start", "Serves a Jupyter client until it shuts the kernel down (clients call this).") { file, limit };
        command.SetAction(result => Guarded(() =>
        {
            var connection = ConnectionFile.Read(result.GetRequiredValue(file).FullName);
            JupyterKernel.Run(connection, Options with { MaxStreamCharacters = Math.Max(1, result.GetValue(limit)) });
            // Threads that cells left behind must not keep the process alive.
            Environment.Exit(0);
            return 0;
        }));
        return command;
    }

    /// <summary>Runs a verb; errors of the kernel become errors of the lab, which the program prints.</summary>
    public static int Guarded(Func<int> verb)
    {
        try
        {
            return verb();
        }
        catch (KernelException e)
        {
            throw new LabException(e.Message, e);
        }
    }
}
