using System.Text.Json.Nodes;
using Dreambooth.Lab.Kernel.Protocol;
using Dreambooth.Lab.Kernel.Subkernels;
using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.DotNet.Interactive.PackageManagement;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>
/// Runs a notebook in this process on .NET Interactive's own kernel for C#, and on this program's, and compares what their cells show.
/// </summary>
/// <param name="launch">Starts this program's kernel.</param>
/// <param name="options">How to run.</param>
public sealed class OfficialRunner(KernelLaunch launch, RunOptions options)
{
    /// <summary>The tag of cells that are for this program's kernel alone; they are not run.</summary>
    public const string OwnTag = "own-kernel";

    private readonly List<ShownOutput> _outputs = [];

    /// <summary>Runs a notebook in both kernels.</summary>
    /// <param name="path">The notebook; its folder is the working folder while it runs.</param>
    /// <param name="cancel">Ends the run between two cells.</param>
    /// <returns>Of each code cell its number, its text, what differs, and whether the official kernel failed where it may not.</returns>
    /// <exception cref="KernelException">The file is no C# notebook, or the parameters do not fit.</exception>
    public IReadOnlyList<(int Cell, string Source, IReadOnlyList<string> Differences, bool Failed)> Run(
        string path, CancellationToken cancel = default)
    {
        var notebook = NotebookDocument.Load(path);
        var cells = RunPlan.Of(notebook, options.Parameters);
        var own = new NotebookRunner(
            launch, options with { AllowErrors = true }).Run(path, _ => { }, cancel: cancel).Notebook.Results(cells.Count);
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            using var kernels = Create();
            using var subscription = kernels.KernelEvents.Subscribe(new Observer(Take));
            var result = new List<(int, string, IReadOnlyList<string>, bool)>();
            for (var i = 0; i < cells.Count; i++)
            {
                cancel.ThrowIfCancellationRequested();
                var isOwn = cells[i].Index < notebook.Cells.Count && cells[i].Index >= 0 && cells[i].Injected is null
                    && notebook.Cells[cells[i].Index].Tags.Contains(OwnTag);
                if (isOwn)
                {
                    result.Add((i + 1, cells[i].Source, ["not run on the official kernel (own-kernel)"], false));
                    continue;
                }

                if (NotebookKernels.AbsentLanguageIn(cells[i].Code) is { } language)
                {
                    result.Add(
                        (i + 1, cells[i].Source, [$"not compared ({language} is in the official tool, not in its packages)"], false));
                    continue;
                }

                _outputs.Clear();
                kernels.SendAsync(new SubmitCode(cells[i].Code), cancel).GetAwaiter().GetResult();
                var failed = _outputs.Any(o => o.Kind == "error") && !cells[i].MayFail;
                List<ShownOutput> mine = [.. own[i].Select(o => Own(o!.AsObject()))];
                result.Add((i + 1, cells[i].Source, [.. ShownOutput.Differences(mine, _outputs)], failed));
            }

            return result;
        }
        finally
        {
            Environment.CurrentDirectory = before;
        }
    }

    // As the official tool puts them together.
    private static CompositeKernel Create()
    {
        var kernels = new CompositeKernel();
        var csharp = new CSharpKernel();
        csharp.UseNugetDirective((kernel, packages) =>
        {
            kernel.AddAssemblyReferences(packages.SelectMany(p => p.AssemblyPaths));
            return Task.CompletedTask;
        });
        kernels.Add(csharp.UseKernelHelpers().UseWho().UseValueSharing(), ["c#", "C#"]);
        kernels.Add(new HtmlKernel());
        kernels.Add(new JavaScriptKernel().UseValueSharing(), ["js"]);
        kernels.Add(new KeyValueStoreKernel().UseWho());
        kernels.Add(new MarkdownKernel());
        kernels.DefaultKernelName = csharp.Name;
        NotebookKernels.AddDirectives(kernels, new KernelOptions());
        return kernels.UseImportMagicCommand();
    }

    private void Take(KernelEvent message)
    {
        switch (message)
        {
            case StandardOutputValueProduced text:
                _outputs.Add(new ShownOutput("stdout", "", string.Concat(text.FormattedValues.Select(f => f.Value))));
                break;
            case StandardErrorValueProduced text:
                _outputs.Add(new ShownOutput("stderr", "", string.Concat(text.FormattedValues.Select(f => f.Value))));
                break;
            case DisplayedValueUpdated:
                break;
            case DisplayEvent shown and (DisplayedValueProduced or ReturnValueProduced):
                _outputs.Add(
                    new ShownOutput(
                        "display", Types(shown.FormattedValues.Where(f => !IsPlainText(f.MimeType, f.Value)).Select(f => f.MimeType)), ""));
                break;
            case CommandFailed failed:
                _outputs.Add(new ShownOutput("error", "", failed.Message ?? failed.Exception?.Message ?? ""));
                break;
        }
    }

    private static ShownOutput Own(JsonObject output) => output["output_type"]!.ToString() switch
    {
        "stream" => new ShownOutput(output["name"]!.ToString(), "", Text(output["text"])),
        "error" => new ShownOutput("error", "", output["evalue"]?.ToString() ?? ""),
        _ => new ShownOutput(
            "display", Types(output["data"]!.AsObject().Where(p => !IsPlainText(p.Key, Text(p.Value))).Select(p => p.Key)), ""),
    };

    private static string Text(JsonNode? data) =>
        data is JsonArray lines ? string.Concat(lines.Select(line => line!.ToString())) : data?.ToString() ?? "";

    // What has no form of its own in HTML: a number.
    private static bool IsPlainText(string type, string text) =>
        type == HtmlFormatter.MimeType && text.StartsWith("<div class=\"dni-plaintext\">", StringComparison.Ordinal);

    // Plain text is left out: this kernel always adds it.
    private static string Types(IEnumerable<string> types) =>
        string.Join(", ", types.Where(t => t != PlainTextFormatter.MimeType).Order(StringComparer.Ordinal));

    private sealed class Observer(Action<KernelEvent> take) : IObserver<KernelEvent>
    {
        public void OnNext(KernelEvent value) => take(value);

        public void OnError(Exception error)
        {
        }

        public void OnCompleted()
        {
        }
    }
}
