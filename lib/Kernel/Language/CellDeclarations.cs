using System.Text.RegularExpressions;
using Dreambooth.Lab.Kernel.Engine;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>
/// What the cells that ran declare, as one text: the latest declaration of every variable, function and type, and all usings.
/// Editing services look at this text instead of the cells, so that they are as quick after hundreds of cells as after one.
/// Safe to use from several threads.
/// </summary>
internal sealed partial class CellDeclarations
{
    private static readonly SymbolDisplayFormat s_typeFormat = SymbolDisplayFormat.FullyQualifiedFormat;
    private readonly Lock _lock = new();
    private readonly List<string> _usings = [];
    private readonly Dictionary<string, string> _members = [];
    private string? _text;

    /// <summary>The declarations as a script.</summary>
    public string Text
    {
        get
        {
            lock (_lock)
                return _text ??= string.Concat(_usings.Distinct().Select(u => u + "\n"))
                    + string.Concat(_members.Values.Select(m => m + "\n"));
        }
    }

    /// <summary>Adds what a cell declares.</summary>
    public void Add(CompiledCell cell)
    {
        var root = cell.Compilation.SyntaxTrees.Single().GetRoot();
        lock (_lock)
        {
            _text = null;
            _usings.AddRange(((CompilationUnitSyntax)root).Usings.Select(u => u.ToString()));
            foreach (var member in cell.Compilation.ScriptClass!.GetMembers().Where(m => !m.IsImplicitlyDeclared))
            {
                if (Declaration(member) is { } text)
                    _members[Key(member)] = text;
            }
        }
    }

    private static string Key(ISymbol member) => member is IMethodSymbol ? member.ToDisplayString() : member.Name;

    private static string? Declaration(ISymbol member)
    {
        var syntax = member.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax();
        if (member is not IFieldSymbol field)
            return member is IMethodSymbol { MethodKind: not MethodKind.Ordinary } ? null : syntax?.ToFullString().Trim();
        var type = field.Type.ToDisplayString(s_typeFormat);
        // The type of an anonymous object has no name; only its own declaration can say it.
        var isNameless = type.Contains("<anonymous", StringComparison.Ordinal);
        var own = syntax?.AncestorsAndSelf().OfType<FieldDeclarationSyntax>().FirstOrDefault()?.ToString();
        return isNameless ? own : $"{CellClass().Replace(type, "")} {field.Name};";
    }

    [GeneratedRegex(@"global::Cell\d+_\d+\.")]
    private static partial Regex CellClass();
}
