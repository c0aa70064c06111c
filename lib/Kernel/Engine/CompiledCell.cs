using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>A cell after compilation.</summary>
/// <param name="Compilation">The submission, to be the next one's predecessor.</param>
/// <param name="EntryPoint">
/// Starts the cell, given the slots; null when the cell holds nothing to run, such as usings or comments alone.
/// </param>
/// <param name="Loaded">Its assembly; null when it holds nothing to run.</param>
/// <param name="HasValue">Whether the cell ends in an expression whose value is shown.</param>
internal sealed record CompiledCell(
    CSharpCompilation Compilation, Func<object?[], Task<object?>>? EntryPoint, LoadedCell? Loaded, bool HasValue)
{
    /// <summary>Whether later cells may need it: it declares variables, functions, types or usings.</summary>
    public bool DeclaresSomething { get; } =
        Compilation.ScriptClass!.GetMembers().Any(m => !m.IsImplicitlyDeclared)
        || ((CompilationUnitSyntax)Compilation.SyntaxTrees.Single().GetRoot()).Usings.Count > 0;
}
