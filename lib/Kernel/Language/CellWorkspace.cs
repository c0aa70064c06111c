using Dreambooth.Lab.Kernel.Engine;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.Text;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>The cells that ran, as Roslyn's editing services see them: a chain of submissions. Safe to use from several threads.</summary>
internal sealed class CellWorkspace : IDisposable
{
    private static readonly Lazy<MefHostServices> s_services = new(() => MefHostServices.Create(MefHostServices.DefaultAssemblies));
    private readonly Lock _lock = new();
    private readonly AdhocWorkspace _workspace = new(s_services.Value);
    private readonly CellEngine _engine;
    private ProjectId? _last;
    private int _count;

    /// <summary>Follows an engine from its first cell on.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="earlier">Cells that it ran before.</param>
    public CellWorkspace(CellEngine engine, IEnumerable<string> earlier)
    {
        _engine = engine;
        foreach (var code in earlier)
            Add(code);
    }

    /// <summary>Adds a cell that ran.</summary>
    public void Add(string code)
    {
        lock (_lock)
        {
            var (solution, project, _) = WithCell(code);
            if (_workspace.TryApplyChanges(solution))
                _last = project;
        }
    }

    /// <summary>A document with the text of the cell that is being written, after all that ran.</summary>
    public Document Document(string code)
    {
        lock (_lock)
        {
            var (solution, _, document) = WithCell(code);
            return solution.GetDocument(document)!;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _workspace.Dispose();

    private (Solution Solution, ProjectId Project, DocumentId Document) WithCell(string code)
    {
        var project = ProjectId.CreateNewId();
        var name = $"cell{++_count}";
        var info = ProjectInfo.Create(
            project, VersionStamp.Default, name, name, LanguageNames.CSharp,
            compilationOptions: _engine.Compiler.Options,
            parseOptions: CellCompiler.ParseOptions,
            projectReferences: _last is null ? [] : [new ProjectReference(_last)],
            metadataReferences: _engine.References.All,
            isSubmission: true);
        var document = DocumentId.CreateNewId(project);
        var solution = _workspace.CurrentSolution.AddProject(info)
            .AddDocument(DocumentInfo.Create(document, name + ".csx", sourceCodeKind: SourceCodeKind.Script,
                loader: TextLoader.From(TextAndVersion.Create(SourceText.From(code), VersionStamp.Default))));
        return (solution, project, document);
    }
}
