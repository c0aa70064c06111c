using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// Lets go of the values of variables that a later cell declares anew, before that cell runs; earlier submissions would keep
/// them alive for ever. The policy: the old variable is cleared, unless a function, lambda or type of another cell that is still
/// in force uses it; when it is not the same cell that runs again, functions of its own cell count too. When a cleared value
/// may have held memory that the garbage collector does not see (it is disposable, or a collection of such), a collection is run at once.
/// </summary>
internal sealed class ShadowedVariables
{
    private readonly Dictionary<string, Variable> _variables = [];
    private readonly List<Capture> _captures = [];

    /// <summary>Names and owners of the variables that cells can see now.</summary>
    public IEnumerable<(string Name, FieldInfo Field, object Submission)> Visible =>
        _variables.Values.Where(v => v.Submission() is not null).Select(v => (v.Name, v.Field, v.Submission()!));

    /// <summary>Records a cell that was compiled and clears what it shadows.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="type">Its loaded class.</param>
    /// <param name="key">Tells whether the same cell runs again.</param>
    /// <param name="submission">Gives the cell's object once it runs.</param>
    public void Add(CompiledCell cell, Type type, string key, Func<object?> submission)
    {
        _captures.RemoveAll(c => c.Key == key);
        _captures.AddRange(CapturesOf(cell, key));
        var heldNativeMemory = false;
        foreach (var member in cell.Compilation.ScriptClass!.GetMembers().OfType<IFieldSymbol>().Where(f => !f.IsImplicitlyDeclared))
        {
            var field = type.GetField(member.MetadataName, BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);
            if (field is null || field.IsLiteral)
                continue;
            if (_variables.TryGetValue(member.Name, out var old) && !IsInUse(old, key))
                heldNativeMemory |= Clear(old);
            _variables[member.Name] = new Variable(member.Name, field, submission, key, cell.AssemblyName);
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
        var owner = old.Submission();
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
            .Select(name => model.GetSymbolInfo(name).Symbol).OfType<IFieldSymbol>()
            .Where(field => field.ContainingType is { IsScriptClass: true })
            .Select(field => new Capture(key, field.ContainingAssembly.Name, field.Name)).Distinct().ToList();
    }

    private static bool IsBody(SyntaxNode node) =>
        node is MethodDeclarationSyntax or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax or BaseTypeDeclarationSyntax
            or PropertyDeclarationSyntax;

    private sealed record Variable(string Name, FieldInfo Field, Func<object?> Submission, string Key, string Assembly);

    private sealed record Capture(string Key, string Assembly, string Name);
}
