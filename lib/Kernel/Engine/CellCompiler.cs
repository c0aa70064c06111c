using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Compiles cells as a chain of script submissions and loads them. Not safe for use from several threads at once.</summary>
internal sealed class CellCompiler
{
    /// <summary>How cells are parsed.</summary>
    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Latest, DocumentationMode.Parse, SourceCodeKind.Script);

    // What a C# cell of .NET Interactive imports, so that notebooks are portable both ways; the last is a type (using static).
    private static readonly string[] s_usings =
    [
        "System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq",
        "Microsoft.DotNet.Interactive.Kernel",
    ];

    private static int s_engines;
    private readonly CellAssemblies _assemblies = new();
    private readonly ReferenceSet _references;
    private readonly string _prefix = $"Cell{Interlocked.Increment(ref s_engines)}_";
    private ImmutableArray<MetadataReference> _cells = [];
    private (string Name, IReadOnlyDictionary<string, string> PassedOn)? _summary;
    private int _count;

    /// <summary>Creates a compiler with an empty chain.</summary>
    /// <param name="references">What cells are compiled against.</param>
    /// <param name="usings">Namespaces imported besides the standard ones.</param>
    public CellCompiler(ReferenceSet references, IEnumerable<string> usings)
    {
        _references = references;
        Options = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            usings: [.. s_usings, .. usings],
            optimizationLevel: OptimizationLevel.Release,
            allowUnsafe: true,
            assemblyIdentityComparer: DesktopAssemblyIdentityComparer.Default,
            metadataImportOptions: MetadataImportOptions.Public);
    }

    /// <summary>How cells are compiled.</summary>
    public CSharpCompilationOptions Options { get; }

    /// <summary>The last submission that was accepted, or null.</summary>
    public CSharpCompilation? Previous { get; private set; }

    /// <summary>Compiles a cell after the ones accepted so far.</summary>
    /// <param name="code">C#, without magics and reference directives.</param>
    /// <param name="path">The name shown in stack traces and errors, for example <c>In[3]</c>.</param>
    /// <returns>The cell, loaded but not started; call <see cref="Accept"/> to make it part of the chain.</returns>
    /// <exception cref="CompilationFailedException">The code has errors.</exception>
    public CompiledCell Compile(string code, string path)
    {
        var original = CSharpSyntaxTree.ParseText(code, ParseOptions, path, Encoding.UTF8);
        var tree = original.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error) ? original : InterruptPoints.AddTo(original);
        var name = _prefix + ++_count;
        var compilation = Create(name, tree);
        if (TryEmit(compilation, tree, out var failed) is { } cell)
            return cell;
        if (_summary is { } summary && failed.Any(DirectVariables.Mends))
        {
            var direct = new DirectVariables(compilation.GetSemanticModel(tree), summary.Name, summary.PassedOn).Visit(tree.GetRoot());
            tree = CSharpSyntaxTree.Create((CSharpSyntaxNode)direct, ParseOptions, path, Encoding.UTF8);
            if (TryEmit(Create(name, tree), tree, out _) is { } mended)
                return mended;
        }

        // Errors are reported against the text that the user wrote, without polls.
        var unchanged = Create(name, original);
        ImmutableArray<Diagnostic> errors = [.. Errors(unchanged.GetDiagnostics()).DefaultIfEmpty(failed[0])];
        var text = DiagnosticText.Format(errors, original, path, e => Language.ErrorHints.For(e, unchanged));
        throw new CompilationFailedException(errors, text);
    }

    /// <summary>Compiles a cell that stands for all that came before it.</summary>
    /// <param name="summary">The cell.</param>
    /// <param name="cells">The assemblies of the cells that it names.</param>
    /// <returns>The cell, which is the chain's only one now; null when it does not compile, and the chain is as before.</returns>
    public CompiledCell? Summarise(SummaryText summary, IEnumerable<MetadataReference> cells)
    {
        var (previous, attached) = (Previous, _cells);
        (Previous, _cells) = (null, [.. cells]);
        var tree = CSharpSyntaxTree.ParseText(summary.Code, ParseOptions, "", Encoding.UTF8);
        var name = _prefix + ++_count;
        if (TryEmit(Create(name, tree), tree, out _) is { Loaded: not null } cell)
        {
            Previous = cell.Compilation;
            _summary = (name, summary.PassedOn);
            return cell;
        }

        (Previous, _cells) = (previous, attached);
        return null;
    }

    /// <summary>Makes a cell the predecessor of the next one.</summary>
    public void Accept(CompiledCell cell) => Previous = cell.Compilation;

    /// <summary>A compilation that would follow the accepted cells; for diagnostics and semantic questions.</summary>
    public CSharpCompilation Create(string name, SyntaxTree tree) =>
        CSharpCompilation.CreateScriptCompilation(
            name, tree, _references.All.AddRange(_cells), Options.WithScriptClassName(name), Previous, typeof(object));

    // Null when the cell has errors. A cell that holds nothing to run is not emitted, with no error; it may be a predecessor all the same.
    private CompiledCell? TryEmit(CSharpCompilation compilation, SyntaxTree tree, out ImmutableArray<Diagnostic> errors)
    {
        using var pe = new MemoryStream();
        using var pdb = new MemoryStream();
        var result = compilation.Emit(pe, pdb, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        errors = [.. Errors(result.Diagnostics)];
        if (!result.Success)
            return errors.Length == 0 ? new CompiledCell(compilation, null, null, false) : null;
        if (compilation.GetEntryPoint(CancellationToken.None) is not { } entry)
            return new CompiledCell(compilation, null, null, HasValue(compilation, tree));
        var image = pe.ToArray();
        AnonymousTypes.MakePublic(image);
        pdb.Position = 0;
        var name = compilation.AssemblyName!;
        var type = _assemblies.Load(name, image, pdb).GetType(entry.ContainingType.MetadataName, throwOnError: true)!;
        var start = type.GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!
            .CreateDelegate<Func<object?[], Task<object?>>>();
        return new CompiledCell(compilation, start, new LoadedCell(name, type, image), HasValue(compilation, tree));
    }

    private static IEnumerable<Diagnostic> Errors(ImmutableArray<Diagnostic> diagnostics) =>
        diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error);

    private static bool HasValue(CSharpCompilation compilation, SyntaxTree tree)
    {
        var last = tree.GetRoot().ChildNodes().OfType<GlobalStatementSyntax>().LastOrDefault();
        if (last?.Statement is not ExpressionStatementSyntax { SemicolonToken.IsMissing: true } statement)
            return false;
        var type = compilation.GetSemanticModel(tree).GetTypeInfo(statement.Expression).Type;
        return type?.SpecialType != SpecialType.System_Void;
    }

    // All cells live in one context, in which they find each other by name; everything else comes from the default context.
    private sealed class CellAssemblies() : AssemblyLoadContext("cells", isCollectible: false)
    {
        private readonly Dictionary<string, Assembly> _cells = [];

        public Assembly Load(string name, byte[] image, Stream pdb)
        {
            using var pe = new MemoryStream(image, writable: false);
            return _cells[name] = LoadFromStream(pe, pdb);
        }

        protected override Assembly? Load(AssemblyName assemblyName) => _cells.GetValueOrDefault(assemblyName.Name!);
    }
}
