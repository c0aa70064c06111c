using Dreambooth.Lab.Kernel.Engine;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.Text;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>
/// The cell that is being written as Roslyn's editing services see it: a submission after one with all declarations so far.
/// </summary>
/// <param name="engine">The engine whose references are used.</param>
/// <param name="declarations">What the cells that ran declare.</param>
internal sealed class CellWorkspace(CellEngine engine, CellDeclarations declarations) : IDisposable
{
    private readonly AdhocWorkspace _workspace = new(MefHostServices.Create(MefHostServices.DefaultAssemblies));
    private string? _text;
    private int _references;
    private ProjectId? _declarations;

    /// <summary>A document with the text of the cell.</summary>
    public Document Document(string code)
    {
        var text = declarations.Text;
        var solution = _workspace.CurrentSolution;
        if (_declarations is null || text != _text || engine.References.All.Length != _references)
        {
            if (_declarations is not null)
                solution = solution.RemoveProject(_declarations);
            (solution, _declarations, _) = WithCell(solution, "declarations", text, null);
            (_text, _references) = (text, engine.References.All.Length);
            _workspace.TryApplyChanges(solution);
            solution = _workspace.CurrentSolution;
        }

        var (withCell, _, document) = WithCell(solution, "cell", code, _declarations);
        return withCell.GetDocument(document)!;
    }

    /// <inheritdoc/>
    public void Dispose() => _workspace.Dispose();

    private (Solution Solution, ProjectId Project, DocumentId Document) WithCell(
        Solution solution, string name, string code, ProjectId? previous)
    {
        var project = ProjectId.CreateNewId();
        var info = ProjectInfo.Create(
            project, VersionStamp.Default, name, name, LanguageNames.CSharp,
            compilationOptions: engine.Compiler.Options,
            parseOptions: CellCompiler.ParseOptions,
            projectReferences: previous is null ? [] : [new ProjectReference(previous)],
            metadataReferences: engine.References.All,
            isSubmission: true);
        var document = DocumentId.CreateNewId(project);
        var loader = TextLoader.From(TextAndVersion.Create(SourceText.From(code), VersionStamp.Create()));
        var documentInfo = DocumentInfo.Create(document, name + ".csx", sourceCodeKind: SourceCodeKind.Script, loader: loader);
        return (solution.AddProject(info).AddDocument(documentInfo), project, document);
    }
}
