using System.CommandLine;
using Dreambooth.Lab.Display;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Kernel;
using Dreambooth.Lab.Kernel.Installation;
using Dreambooth.Lab.Kernel.Protocol;

namespace Dreambooth.Lab.Cli;

/// <summary><c>kernel</c>: the C# notebook kernel, its installation and its start.</summary>
internal static class KernelVerb
{
    private const string DefaultName = "dreambooth-lab";

    // The kernel name in C# notebooks, including the lab's own: with such a kernel they open without a question.
    private const string InteractiveName = ".net-csharp";

    /// <summary>The options that this program gives its kernel.</summary>
    public static KernelOptions Options => new()
    {
        Name = "Dreambooth.Lab C#",
        References = PlotlyCharts.Assemblies,
        Configure = static () =>
        {
            NotebookFormatters.Register();
            PlotlyCharts.Register();
        },
    };

    /// <summary>Starts this program's kernel.</summary>
    public static KernelLaunch Launch => KernelLaunch.OfThisProgram("kernel", "start", "--connection-file");

    /// <summary>Starts this program's kernel for a client without completion.</summary>
    public static KernelLaunch HeadlessLaunch => KernelLaunch.OfThisProgram("kernel", "start", "--headless", "--connection-file");

    public static Command Create(Session session) =>
        new("kernel", "The C# notebook kernel for VS Code, JupyterLab and Jupyter Notebook. Install it once, then choose it in the client.")
        {
            CreateInstall(session),
            CreateList(session),
            CreateUninstall(session),
            CreateStart(),
        };

    /// <summary>Runs a verb; errors of the kernel become errors of the lab, which the program prints.</summary>
    public static int Guarded(Func<int> verb)
    {
        try
        {
            return verb();
        }
        catch (KernelException error)
        {
            throw new LabException(error.Message, error);
        }
    }

    private static Command CreateInstall(Session session)
    {
        var user = new Option<bool>("--user") { Description = "Install for this user only (the default)." };
        var prefix = new Option<string?>("--prefix") { Description = "Install under this prefix, for example /usr/local." };
        var name = new Option<string?>("--name")
        {
            Description =
                $"The kernel's name, to which notebooks refer. Default: {DefaultName}, and {InteractiveName} "
                + "unless another program has it.",
        };
        var verb = new Command("install", "Installs the kernel where Jupyter and VS Code look for it.") { user, prefix, name };
        verb.SetAction(result => Guarded(() =>
        {
            var chosen = result.GetValue(prefix);
            if (chosen is not null && result.GetValue(user))
                throw new LabException("--user and --prefix exclude each other; give one of them.");
            var folder = chosen is null ? KernelSpecs.UserFolder() : KernelSpecs.PrefixFolder(chosen);
            var names = result.GetValue(name) is { } own ? [own]
                : KernelSpecs.IsTakenByOthers(InteractiveName, [.. KernelSpecs.SearchFolders(), folder]) ? [DefaultName]
                : new[] { DefaultName, InteractiveName };
            foreach (var each in names)
            {
                var spec = KernelSpecs.Install(
                    folder, each, each == InteractiveName ? ".NET (C#, Dreambooth.Lab)" : "C# (Dreambooth.Lab)", Launch);
                session.Output.WriteLine($"Installed the kernel '{spec.Name}' in {spec.Folder}");
            }

            return ExitCode.Success;
        }));
        return verb;
    }

    private static Command CreateList(Session session)
    {
        var verb = new Command("list", "Lists where the kernel is installed, and whether its program was moved since.");
        verb.SetAction(_ => Guarded(() =>
        {
            var specs = KernelSpecs.List();
            foreach (var spec in specs)
            {
                session.Output.WriteLine($"{spec.Name,-20}{spec.Folder}");
                if (spec.Problem is { } problem)
                    session.Warn($"{spec.Name}: {problem}");
            }

            if (specs.Count == 0)
                session.Output.WriteLine("The kernel is not installed; `kernel install` installs it.");
            return ExitCode.Success;
        }));
        return verb;
    }

    private static Command CreateUninstall(Session session)
    {
        var name = new Option<string?>("--name") { Description = "The kernel's name. Default: every kernel of this program." };
        var prefix = new Option<string?>("--prefix") { Description = "Look only under this prefix, for example /usr/local." };
        var verb = new Command("uninstall", "Removes the kernel.") { name, prefix };
        verb.SetAction(result => Guarded(() =>
        {
            string[] folders = result.GetValue(prefix) is { } chosen ? [KernelSpecs.PrefixFolder(chosen)] : [];
            var names = result.GetValue(name) is { } own
                ? [own]
                : KernelSpecs.List(folders).Select(spec => spec.Name).Distinct().DefaultIfEmpty(DefaultName);
            foreach (var folder in names.SelectMany(each => KernelSpecs.Uninstall(each, folders)).ToList())
                session.Output.WriteLine($"Removed {folder}");
            return ExitCode.Success;
        }));
        return verb;
    }

    private static Command CreateStart()
    {
        var file = new Option<FileInfo>("--connection-file", "-f")
        {
            Description = "The file that the Jupyter client wrote.",
            Required = true,
        };
        var limit = new Option<int>("--max-output")
        {
            Description = "Characters of stream output that one cell may send, at least 1.",
            DefaultValueFactory = _ => new KernelOptions().MaxStreamCharacters,
        };
        var headless = new Option<bool>("--headless")
        {
            Description = "Do not make completion ready: the client runs cells only.",
            Hidden = true,
        };
        var verb = new Command(
            "start", "Serves a Jupyter client until it shuts the kernel down. Clients call this.") { file, limit, headless };
        verb.SetAction(result => Guarded(() =>
        {
            var characters = result.GetValue(limit);
            if (characters < 1)
                throw new UsageException($"--max-output is {characters}; valid is at least 1.");
            Launch.ForgetSettings();
            var connection = ConnectionFile.Read(result.GetRequiredValue(file).FullName);
            JupyterKernel.Run(connection, Options with
            {
                MaxStreamCharacters = characters,
                WarmUpCompletion = !result.GetValue(headless),
            });
            // Threads that cells left behind must not keep the process alive.
            Environment.Exit(ExitCode.Success);
            return ExitCode.Success;
        }));
        return verb;
    }
}
