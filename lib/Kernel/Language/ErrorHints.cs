using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>What would repair a compiler error: a missing <c>using</c>, a conversion, or the name that was probably meant.</summary>
internal static class ErrorHints
{
    // By reference: the namespaces of each type name, and the types that hold an extension method of each name.
    private static readonly ConcurrentDictionary<MetadataReference, ImmutableDictionary<string, ImmutableArray<string>>> s_namespaces = [];
    private static readonly ConcurrentDictionary<MetadataReference, ImmutableDictionary<string, ImmutableArray<string>>> s_extensions = [];

    /// <summary>A hint for an error, or null.</summary>
    /// <param name="error">The error.</param>
    /// <param name="compilation">The compilation that has it.</param>
    public static string? For(Diagnostic error, CSharpCompilation compilation)
    {
        if (error.Location.SourceTree is not { } tree)
            return null;
        var node = tree.GetRoot().FindNode(error.Location.SourceSpan, getInnermostNodeForTie: true);
        var model = compilation.GetSemanticModel(tree);
        var name = node.DescendantNodesAndSelf().OfType<SimpleNameSyntax>().FirstOrDefault();
        return error.Id switch
        {
            "CS0103" or "CS0246" when name is not null =>
                Usings(NamespacesOf(name.Identifier.ValueText, compilation)) ?? Nearest(name, null, model),
            "CS1061" or "CS0117" when name is not null => OfMember(name, model, compilation),
            "CS0266" when node is ExpressionSyntax value && model.GetTypeInfo(value).ConvertedType is { } type =>
                $"convert it: `({type.ToMinimalDisplayString(model, value.SpanStart)}){InParentheses(value)}`",
            _ => null,
        };
    }

    private static string? OfMember(SimpleNameSyntax name, SemanticModel model, CSharpCompilation compilation)
    {
        if (name.Parent is not MemberAccessExpressionSyntax access || access.Name != name)
            return Nearest(name, null, model);
        var receiver = model.GetTypeInfo(access.Expression).Type;
        var extensions = receiver is null ? [] : ExtensionNamespaces(name.Identifier.ValueText, receiver, compilation);
        return Usings(extensions) ?? Nearest(name, receiver ?? model.GetSymbolInfo(access.Expression).Symbol as ITypeSymbol, model);
    }

    private static string? Usings(IEnumerable<string> namespaces)
    {
        var lines = namespaces.Take(3).Select(n => $"`using {n};`").ToList();
        return lines.Count == 0 ? null : "add " + string.Join(" or ", lines);
    }

    private static string InParentheses(ExpressionSyntax value) =>
        value is LiteralExpressionSyntax or IdentifierNameSyntax or InvocationExpressionSyntax or MemberAccessExpressionSyntax
            ? value.ToString()
            : $"({value})";

    private static string? Nearest(SimpleNameSyntax name, ITypeSymbol? container, SemanticModel model)
    {
        var text = name.Identifier.ValueText;
        var candidates = model.LookupSymbols(name.SpanStart, container, includeReducedExtensionMethods: true).Select(s => s.Name)
            .Distinct();
        var nearest = candidates.Select(c => (Name: c, Distance: Distance(c, text))).Where(c => c.Distance <= Math.Max(1, text.Length / 4))
            .OrderBy(c => c.Distance).Select(c => c.Name).Take(3).ToList();
        return nearest.Count == 0 ? null : "did you mean " + string.Join(" or ", nearest.Select(n => $"`{n}`")) + "?";
    }

    private static IEnumerable<string> ExtensionNamespaces(string method, ITypeSymbol receiver, CSharpCompilation compilation) =>
        compilation.References
            .SelectMany(
                r => s_extensions.GetOrAdd(r, _ => ExtensionsOf(compilation.GetAssemblyOrModuleSymbol(r) as IAssemblySymbol))
                    .GetValueOrDefault(method, []))
            .Select(type => compilation.GetTypeByMetadataName(type))
            .Where(
                type => type is not null
                    && type.GetMembers(method).OfType<IMethodSymbol>().Any(m => m.ReduceExtensionMethod(receiver) is not null))
            .Select(type => type!.ContainingNamespace.ToDisplayString())
            .Distinct().OrderBy(n => n.Length).ThenBy(n => n, StringComparer.Ordinal);

    private static IEnumerable<string> NamespacesOf(string typeName, CSharpCompilation compilation) =>
        compilation.References
            .Select(r => s_namespaces.GetOrAdd(r, _ => TypesOf(compilation.GetAssemblyOrModuleSymbol(r) as IAssemblySymbol)))
            .SelectMany(types => types.GetValueOrDefault(typeName, []))
            .Distinct().OrderBy(n => n.Length).ThenBy(n => n, StringComparer.Ordinal);

    private static ImmutableDictionary<string, ImmutableArray<string>> TypesOf(IAssemblySymbol? assembly) =>
        Index(PublicTypes(assembly).Select(type => (type.Name, type.ContainingNamespace.ToDisplayString())));

    private static ImmutableDictionary<string, ImmutableArray<string>> ExtensionsOf(IAssemblySymbol? assembly) =>
        Index(
            PublicTypes(assembly).Where(type => type.MightContainExtensionMethods)
                .SelectMany(type => type.GetMembers().OfType<IMethodSymbol>()
            .Where(m => m.IsExtensionMethod && m.DeclaredAccessibility == Accessibility.Public)
            .Select(m => m.Name).Distinct()
            .Select(method => (method, $"{type.ContainingNamespace.ToDisplayString()}.{type.MetadataName}"))));

    private static ImmutableDictionary<string, ImmutableArray<string>> Index(IEnumerable<(string Name, string Where)> entries) =>
        entries.GroupBy(e => e.Name, e => e.Where).ToImmutableDictionary(g => g.Key, g => g.ToImmutableArray());

    private static IEnumerable<INamedTypeSymbol> PublicTypes(IAssemblySymbol? assembly)
    {
        var open = new Stack<INamespaceSymbol>();
        if (assembly is not null)
            open.Push(assembly.GlobalNamespace);
        while (open.TryPop(out var current))
        {
            foreach (var type in current.GetTypeMembers()
                .Where(t => t.DeclaredAccessibility == Accessibility.Public && !current.IsGlobalNamespace))
                yield return type;
            foreach (var inner in current.GetNamespaceMembers())
                open.Push(inner);
        }
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
