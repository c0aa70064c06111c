using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.Directives;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.DotNet.Interactive.PackageManagement;

namespace Dreambooth.Lab.Kernel.Subkernels;

/// <summary>The kernels of one session: C# on this kernel's engine, and beside it those that .NET Interactive's base package has.</summary>
internal static partial class NotebookKernels
{
    /// <summary>The name of the kernel for C#.</summary>
    public const string CSharp = "csharp";

    private static readonly (string Name, string Language, string[] Aliases)[] s_absent =
    [
        ("fsharp", "F#", ["f#"]), ("pwsh", "PowerShell", ["powershell"]), ("mermaid", "Mermaid", []), ("sql", "SQL", []),
        ("kql", "KQL", []), ("http", "HTTP", []), ("python", "Python", []), ("r", "R", []),
    ];

    /// <summary>The names of all languages, as in <c>#!NAME</c>.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>(
        [
            CSharp, "c#", "C#", "html", "javascript", "js", "value", "markdown",
            .. s_absent.Select(a => a.Name), .. s_absent.SelectMany(a => a.Aliases),
        ]);

    /// <summary>Makes the kernels.</summary>
    /// <param name="session">Runs C#.</param>
    /// <param name="extensions">Takes packages.</param>
    public static CompositeKernel Create(CellSession session, KernelExtensionLoader extensions)
    {
        var kernels = new CompositeKernel();
        var csharp = new CSharpCellKernel(session);
        csharp.KernelInfo.LanguageName = "C#";
        csharp.KernelInfo.LanguageVersion = "14.0";
        csharp.UseValueSharing().UseWho().UseNugetDirective((_, packages) => extensions.AddAsync(packages));
        kernels.Add(csharp, ["c#", "C#"]);
        kernels.Add(new HtmlKernel());
        kernels.Add(new JavaScriptKernel().UseValueSharing(), ["js"]);
        kernels.Add(new KeyValueStoreKernel().UseWho());
        kernels.Add(new MarkdownKernel());
        foreach (var (name, language, aliases) in s_absent)
            kernels.Add(new AbsentLanguageKernel(name, language), aliases);
        kernels.DefaultKernelName = CSharp;
        kernels.UseImportMagicCommand();
        AddDirectives(kernels, session.Options);
        kernels.RegisterCommandHandler<RequestInput>((command, context) =>
        {
            context.Publish(new InputProduced(session.ReadLine(command.Prompt, command.IsPassword), command));
            return Task.CompletedTask;
        });
        kernels.RegisterCommandHandler<RequestInputs>((command, context) =>
        {
            var answers = command.Inputs.ToDictionary(i => i.Name, i => session.ReadLine(i.Prompt, i.TypeHint == "password"));
            context.Publish(new InputsProduced(answers, command));
            return Task.CompletedTask;
        });
        kernels.SetDefaultTargetKernelNameForCommand(typeof(RequestInput), kernels.Name);
        kernels.SetDefaultTargetKernelNameForCommand(typeof(RequestInputs), kernels.Name);
        return kernels;
    }

    /// <summary>Every magic and directive, with what it is for.</summary>
    public static IEnumerable<(string Name, string Help)> Magics(CompositeKernel kernels) =>
        kernels.ChildKernels.Append<Microsoft.DotNet.Interactive.Kernel>(kernels).SelectMany(k => k.KernelInfo.SupportedDirectives)
            .Where(d => !d.Hidden).Select(d => (d.Name, d.Description ?? "")).Append(("#load", "Run a C# file: #load \"FILE\""))
            .DistinctBy(d => d.Item1).OrderBy(d => d.Item1, StringComparer.Ordinal);

    /// <summary>The language that a magic of a cell asks for and that is not here; null when it asks for none.</summary>
    public static string? AbsentLanguageIn(string code) =>
        (from line in code.Split('\n')
         let word = line.Trim().Split(' ')[0]
         from absent in s_absent
         where absent.Aliases.Prepend(absent.Name).Any(name => word == "#!" + name)
         select absent.Language).FirstOrDefault();

    /// <summary>Refuses a cell that shares a value from a kernel that is not there; the packages fail with no word of it.</summary>
    /// <exception cref="KernelException">A kernel is not there.</exception>
    public static void RequireSharedFrom(string code, CompositeKernel kernels)
    {
        foreach (Match share in SharedFrom().Matches(code))
        {
            var name = share.Groups[1].Value;
            if (kernels.FindKernelByName(name) is null)
            {
                var valid = string.Join(", ", kernels.ChildKernels.Where(k => k is not AbsentLanguageKernel).Select(k => k.Name));
                throw new KernelException($"#!share --from: there is no kernel '{name}'; valid are {valid}.");
            }
        }
    }

    [GeneratedRegex(@"^[ \t]*#!share[ \t][^\n]*--from[ \t]+([^\s-]\S*)", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex SharedFrom();

    /// <summary>Adds the magics that the official tool has and its packages have not.</summary>
    public static void AddDirectives(CompositeKernel kernels, KernelOptions options)
    {
        Add(kernels, "#!time", "Measure the time that the cell takes", context =>
        {
            var clock = Stopwatch.StartNew();
            context.OnComplete(ended => ended.DisplayAs(
                FormattableString.Invariant($"Wall time: {clock.Elapsed.TotalMilliseconds:0.####}ms"), PlainTextFormatter.MimeType));
        });
        Add(kernels, "#!about", "Show what this kernel is", context => context.DisplayAs(
            FormattableString.Invariant($"{options.Name} {options.Version}, C# on .NET {Environment.Version}, ")
                + FormattableString.Invariant($"process {Environment.ProcessId}, .NET Interactive {Version}"),
            PlainTextFormatter.MimeType));
        Add(kernels, "#!lsmagic", "List the magics", context => context.DisplayAs(
            string.Join('\n', Magics(kernels).Select(m => $"{m.Name,-18}{m.Help}")), PlainTextFormatter.MimeType));
    }

    private static string Version => typeof(CompositeKernel).Assembly.GetName().Version?.ToString() ?? "";

    private static void Add(CompositeKernel kernels, string name, string help, Action<KernelInvocationContext> action) =>
        kernels.AddDirective(new KernelActionDirective(name) { Description = help }, (_, context) =>
        {
            action(context);
            return Task.CompletedTask;
        });
}
