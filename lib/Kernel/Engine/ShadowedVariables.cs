using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// Clears the values of variables that a later cell redeclares, before that cell runs; earlier submissions would keep them alive for ever.
/// The policy: the old variable is cleared, unless a function, lambda or type of another cell that is still in force uses it; when it is
/// not the same cell that runs again, functions of its own cell count too. When a cleared value may have held memory that the garbage
/// collector does not see (it is disposable, or a collection of such), a collection is run at once.
/// </summary>
internal sealed class ShadowedVariables
{
    private readonly Dictionary<string, Variable> _variables = [];
    private readonly List<Capture> _captures = [];

    // Also of cells that ran again since: what an earlier run started may still use the variable.
    private readonly HashSet<(string Assembly, string Name)> _everCaptured = [];

    /// <summary>Names and owners of the variables that cells can see now.</summary>
    public IEnumerable<(string Name, FieldInfo Field, object Cell)> Visible =>
        _variables.Values.Where(v => v.Cell.Instance is not null).Select(v => (v.Name, v.Field, v.Cell.Instance!));

    /// <summary>Whether a function, lambda or query of any cell that ran uses the variable of that name.</summary>
    public bool IsUsed(string name) => _variables.TryGetValue(name, out var variable) && _everCaptured.Contains((variable.Assembly, name));

    /// <summary>Follows variables to the cell that stands for all so far.</summary>
    public void Move(SummaryText text, LoadedCell cell)
    {
        foreach (var variable in text.Moved)
        {
            if (_variables.TryGetValue(variable.Name, out var old))
                _variables[variable.Name] = old with { Field = FieldOf(cell.Type, variable.Name)!, Cell = cell, Assembly = cell.Name };
        }

        // Later cells know these by the summary's name, too.
        foreach (var old in text.PassedOn.Keys.Select(name => _variables.GetValueOrDefault(name)).OfType<Variable>().ToList())
        {
            for (var i = 0; i < _captures.Count; i++)
            {
                if (_captures[i].Assembly == old.Assembly && _captures[i].Name == old.Name)
                    _captures[i] = _captures[i] with { Assembly = cell.Name };
            }

            _variables[old.Name] = old with { Assembly = cell.Name };
            _everCaptured.Add((cell.Name, old.Name));
        }

        _everCaptured.RemoveWhere(c => c.Assembly != cell.Name);
        _captures.RemoveAll(c => c.Assembly != cell.Name);
    }

    /// <summary>Records a cell that was compiled and clears what it shadows.</summary>
    /// <param name="cell">The cell, with its assembly.</param>
    /// <param name="key">Tells whether the same cell runs again.</param>
    public void Add(CompiledCell cell, string key)
    {
        _captures.RemoveAll(c => c.Key == key);
        _captures.AddRange(CapturesOf(cell, key));
        _everCaptured.UnionWith(_captures.Where(c => c.Key == key).Select(c => (c.Assembly, c.Name)));
        var heldNativeMemory = false;
        foreach (var member in cell.Compilation.ScriptClass!.GetMembers().OfType<IFieldSymbol>().Where(f => !f.IsImplicitlyDeclared))
        {
            if (FieldOf(cell.Loaded!.Type, member.MetadataName) is not { IsLiteral: false } field)
                continue;
            if (_variables.TryGetValue(member.Name, out var old) && !IsInUse(old, key))
                heldNativeMemory |= Clear(old);
            _variables[member.Name] = new Variable(member.Name, field, cell.Loaded, key, cell.Loaded.Name);
        }

        if (heldNativeMemory)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private bool IsInUse(Variable old, string key) =>
        _captures.Any(c => c.Assembly == old.Assembly && c.Name == old.Name && (c.Key != old.Key || old.Key != key));

    private static bool Clear(Variable old)
    {
        var owner = old.Cell.Instance;
        if (owner is null || old.Field.FieldType.IsValueType || old.Field.IsInitOnly)
            return false;
        var value = old.Field.GetValue(owner);
        old.Field.SetValue(owner, null);
        return value is not null && HoldsNativeMemory(value.GetType());
    }

    private static bool HoldsNativeMemory(Type type) =>
        typeof(IDisposable).IsAssignableFrom(type)
        || (type.HasElementType && HoldsNativeMemory(type.GetElementType()!))
        || (type.IsGenericType && type.GetGenericArguments().Any(HoldsNativeMemory));

    private static List<Capture> CapturesOf(CompiledCell cell, string key)
    {
        var tree = cell.Compilation.SyntaxTrees.Single();
        var bodies = tree.GetRoot().DescendantNodes(n => !IsBody(n)).Where(IsBody).ToList();
        if (bodies.Count == 0)
            return [];
        var model = cell.Compilation.GetSemanticModel(tree);
        return bodies.SelectMany(b => b.DescendantNodes().OfType<IdentifierNameSyntax>())
            .Select(name => model.GetSymbolInfo(name).Symbol)
            .Where(symbol => symbol is IFieldSymbol or IPropertySymbol && symbol.ContainingType is { IsScriptClass: true })
            .Select(symbol => new Capture(key, symbol!.ContainingAssembly.Name, symbol.Name)).Distinct().ToList();
    }

    private static bool IsBody(SyntaxNode node) =>
        node is MethodDeclarationSyntax or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax or BaseTypeDeclarationSyntax
            or PropertyDeclarationSyntax or QueryExpressionSyntax;

    private static FieldInfo? FieldOf(Type type, string name) =>
        type.GetField(name, BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);

    private sealed record Variable(string Name, FieldInfo Field, LoadedCell Cell, string Key, string Assembly);

    private sealed record Capture(string Key, string Assembly, string Name);
}
