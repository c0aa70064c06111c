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
        using var pe = new MemoryStream();
        using var pdb = new MemoryStream();
        var result = compilation.Emit(pe, pdb, options: new EmitOptions(debugInformationFormat: DebugInformationFormat.PortablePdb));
        if (!result.Success)
        {
            // Errors are reported against the text that the user wrote, without polls.
            var errors = result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).ToImmutableArray();
            if (errors.Length == 0)
                return new CompiledCell(compilation, null, name, false);
            var unchanged = Create(name, original);
            errors = [.. unchanged.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error).DefaultIfEmpty(errors[0])];
            throw new CompilationFailedException(errors, DiagnosticText.Format(errors, original, path, e => Language.ErrorHints.For(e, unchanged)));
        }

        var entry = compilation.GetEntryPoint(CancellationToken.None);
        return new CompiledCell(compilation, entry is null ? null : Load(name, pe, pdb, entry), name, HasValue(compilation, tree));
    }

    /// <summary>Makes a cell the predecessor of the next one.</summary>
    public void Accept(CompiledCell cell) => Previous = cell.Compilation;

    /// <summary>A compilation that would follow the accepted cells; for diagnostics and semantic questions.</summary>
    public CSharpCompilation Create(string name, SyntaxTree tree) =>
        CSharpCompilation.CreateScriptCompilation(name, tree, _references.All, Options, Previous, typeof(object));

    /// <summary>The loaded type that holds the top-level variables of a cell.</summary>
    /// <param name="cell">A cell with an entry point.</param>
    /// <returns>The submission's class.</returns>
    public Type ClassOf(CompiledCell cell) => _assemblies.Get(cell.AssemblyName).GetType(cell.Compilation.ScriptClass!.MetadataName, throwOnError: true)!;

    private Func<object?[], Task<object?>> Load(string name, MemoryStream pe, MemoryStream pdb, IMethodSymbol entry)
    {
        pe.Position = 0;
        pdb.Position = 0;
        var assembly = _assemblies.Load(name, pe, pdb);
        var method = assembly.GetType(entry.ContainingType.MetadataName, throwOnError: true)!
            .GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        return method.CreateDelegate<Func<object?[], Task<object?>>>();
    }

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

        public Assembly Get(string name) => _cells[name];

        public Assembly Load(string name, Stream pe, Stream pdb) => _cells[name] = LoadFromStream(pe, pdb);

        protected override Assembly? Load(AssemblyName assemblyName) => _cells.GetValueOrDefault(assemblyName.Name!);
    }
}
