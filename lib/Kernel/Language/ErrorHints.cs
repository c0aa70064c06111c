using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>What would repair a compiler error: a missing <c>using</c>, or the name that was probably meant.</summary>
internal static class ErrorHints
{
    private static readonly ConcurrentDictionary<MetadataReference, ImmutableDictionary<string, ImmutableArray<string>>> s_namespaces = [];

    /// <summary>A hint for an error, or null.</summary>
    /// <param name="error">The error.</param>
    /// <param name="compilation">The compilation that has it.</param>
    public static string? For(Diagnostic error, CSharpCompilation compilation)
    {
        if (error.Id is not ("CS0103" or "CS0246" or "CS1061" or "CS0117") || error.Location.SourceTree is not { } tree)
            return null;
        if (tree.GetRoot().FindNode(error.Location.SourceSpan).DescendantNodesAndSelf().OfType<SimpleNameSyntax>().FirstOrDefault() is not { } name)
            return null;
        var text = name.Identifier.ValueText;
        if (error.Id is "CS0103" or "CS0246")
        {
            var namespaces = NamespacesOf(text, compilation).ToList();
            if (namespaces.Count > 0)
                return "add " + string.Join(" or ", namespaces.Take(3).Select(n => $"`using {n};`"));
        }

        var model = compilation.GetSemanticModel(tree);
        var container = name.Parent is MemberAccessExpressionSyntax access && access.Name == name ? model.GetTypeInfo(access.Expression).Type
            ?? model.GetSymbolInfo(access.Expression).Symbol as ITypeSymbol : null;
        var candidates = model.LookupSymbols(name.SpanStart, container, includeReducedExtensionMethods: true).Select(s => s.Name).Distinct();
        var nearest = candidates.Select(c => (Name: c, Distance: Distance(c, text))).Where(c => c.Distance <= Math.Max(1, text.Length / 4))
            .OrderBy(c => c.Distance).Select(c => c.Name).Take(3).ToList();
        return nearest.Count == 0 ? null : "did you mean " + string.Join(" or ", nearest.Select(n => $"`{n}`")) + "?";
    }

    private static IEnumerable<string> NamespacesOf(string typeName, CSharpCompilation compilation) =>
        compilation.References
            .Select(r => s_namespaces.GetOrAdd(r, _ => TypesOf(compilation.GetAssemblyOrModuleSymbol(r) as IAssemblySymbol)))
            .SelectMany(types => types.GetValueOrDefault(typeName, []))
            .Distinct().OrderBy(n => n.Length).ThenBy(n => n, StringComparer.Ordinal);

    private static ImmutableDictionary<string, ImmutableArray<string>> TypesOf(IAssemblySymbol? assembly)
    {
        var result = ImmutableDictionary.CreateBuilder<string, ImmutableArray<string>>();
        var open = new Stack<INamespaceSymbol>();
        if (assembly is not null)
            open.Push(assembly.GlobalNamespace);
        while (open.TryPop(out var current))
        {
            foreach (var type in current.GetTypeMembers().Where(t => t.DeclaredAccessibility == Accessibility.Public && !current.IsGlobalNamespace))
                result[type.Name] = result.GetValueOrDefault(type.Name, []).Add(current.ToDisplayString());
            foreach (var inner in current.GetNamespaceMembers())
                open.Push(inner);
        }

        return result.ToImmutable();
    }

    // Edits (insert, delete, replace, and swap of neighbours) that turn one name into the other, ignoring case.
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 3)
            return int.MaxValue;
        var cost = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            cost[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            cost[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var same = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1;
                cost[i, j] = Math.Min(Math.Min(cost[i - 1, j] + 1, cost[i, j - 1] + 1), cost[i - 1, j - 1] + same);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }

        return cost[a.Length, b.Length];
    }
}
