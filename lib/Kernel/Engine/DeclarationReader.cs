using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>Reads what a compiled cell declares, as text that binds anywhere: every type with its whole name.</summary>
internal static class DeclarationReader
{
    private const SymbolDisplayMiscellaneousOptions Keywords =
        SymbolDisplayMiscellaneousOptions.UseSpecialTypes | SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers;

    private static readonly SymbolDisplayFormat s_type = SymbolDisplayFormat.FullyQualifiedFormat.WithMiscellaneousOptions(Keywords);

    private static readonly SymbolDisplayFormat s_function = new(
        SymbolDisplayGlobalNamespaceStyle.Included,
        SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces,
        SymbolDisplayGenericsOptions.IncludeTypeParameters | SymbolDisplayGenericsOptions.IncludeTypeConstraints,
        SymbolDisplayMemberOptions.IncludeParameters | SymbolDisplayMemberOptions.IncludeType | SymbolDisplayMemberOptions.IncludeRef,
        SymbolDisplayDelegateStyle.NameAndSignature,
        SymbolDisplayExtensionMethodStyle.StaticMethod,
        SymbolDisplayParameterOptions.IncludeType | SymbolDisplayParameterOptions.IncludeName
            | SymbolDisplayParameterOptions.IncludeDefaultValue | SymbolDisplayParameterOptions.IncludeParamsRefOut
            | SymbolDisplayParameterOptions.IncludeExtensionThis,
        miscellaneousOptions: Keywords);

    /// <summary>The declarations that later cells can use.</summary>
    public static IEnumerable<Declaration> Of(CompiledCell cell)
    {
        var owner = cell.Compilation.AssemblyName!;
        return cell.Compilation.ScriptClass!.GetMembers()
            .Where(m => !m.IsImplicitlyDeclared && m is not IMethodSymbol { MethodKind: not MethodKind.Ordinary })
            .Select(m => Of(m, owner));
    }

    /// <summary>The usings with whole names: the name of an alias (else the line itself) and the line.</summary>
    public static IEnumerable<(string Key, string Line)> UsingsOf(CompiledCell cell)
    {
        var tree = cell.Compilation.SyntaxTrees.Single();
        var usings = ((CompilationUnitSyntax)tree.GetRoot()).Usings;
        if (usings.Count == 0)
            yield break;
        var model = cell.Compilation.GetSemanticModel(tree);
        foreach (var item in usings)
        {
            var target = model.GetSymbolInfo(item.NamespaceOrType).Symbol;
            var text = target is null ? item.NamespaceOrType.ToString() : Text(target, s_type);
            var isStatic = item.StaticKeyword.IsKind(SyntaxKind.StaticKeyword) ? "static " : "";
            var line = $"using {isStatic}{(item.Alias is null ? "" : item.Alias.ToString() + " ")}{text};";
            yield return (item.Alias?.Name.ToString() ?? line, line);
        }
    }

    private static Declaration Of(ISymbol member, string owner) => member switch
    {
        IFieldSymbol field => new Declaration(
            field.Name, field.Name, field.IsConst ? DeclarationKind.Constant : DeclarationKind.Variable, owner, TypeText(field.Type))
        { IsStatic = field.IsStatic, IsReadOnly = field.IsReadOnly },
        IMethodSymbol function => new Declaration(KeyOf(function), function.Name, DeclarationKind.Function, owner, FunctionText(function))
        { IsStatic = function.IsStatic },
        IPropertySymbol { IsIndexer: false } property => new Declaration(
            property.Name, property.Name, DeclarationKind.Property, owner, PropertyText(property))
        { IsStatic = property.IsStatic },
        INamedTypeSymbol type => new Declaration(
            $"{type.Name}`{type.Arity}", type.Name, DeclarationKind.Type, owner, FormattableString.Invariant($"{type.Arity}")),
        _ => new Declaration(member.Name, member.Name, DeclarationKind.Other, owner, null),
    };

    private static string KeyOf(IMethodSymbol function) =>
        $"{function.Name}`{function.Arity}("
        + string.Join(',', function.Parameters.Select(p => $"{p.RefKind} {p.Type.ToDisplayString(s_type)}")) + ")";

    private static string? TypeText(ITypeSymbol type) => Text(type, s_type) is var text && IsNameable(text) ? text : null;

    private static string? FunctionText(IMethodSymbol function)
    {
        var arguments = function.Parameters.Select(p => (p.RefKind switch
        {
            RefKind.Ref => "ref ",
            RefKind.Out => "out ",
            RefKind.In => "in ",
            _ => "",
        }) + Name(p));
        var types = function.Arity == 0 ? "" : $"<{string.Join(", ", function.TypeParameters.Select(Name))}>";
        var reference = function.ReturnsByRef || function.ReturnsByRefReadonly ? "ref " : "";
        var text = $"{Text(function, s_function)} => {reference}{{0}}.{Name(function)}{types}({string.Join(", ", arguments)});";
        return IsNameable(text) ? text : null;
    }

    private static string? PropertyText(IPropertySymbol property)
    {
        var name = Name(property);
        if (TypeText(property.Type) is not { } type)
            return null;
        if (property.ReturnsByRef || property.ReturnsByRefReadonly)
            return $"ref {(property.ReturnsByRef ? "" : "readonly ")}{type} {name} => ref {{0}}.{name};";
        var getter = property.GetMethod is null ? "" : $"get => {{0}}.{name}; ";
        var setter = property.SetMethod is null ? "" : $"set => {{0}}.{name} = value; ";
        return $"{type} {name} {{ {getter}{setter}}}";
    }

    private static string Name(ISymbol symbol) => symbol.ToDisplayString(new SymbolDisplayFormat(miscellaneousOptions: Keywords));

    // Anonymous types and pointers have no name that could be written here.
    private static bool IsNameable(string text) =>
        !text.Contains('*', StringComparison.Ordinal) && !text.Contains("<>", StringComparison.Ordinal)
        && !text.Contains("<anonymous", StringComparison.Ordinal);

    // The class of a cell is left out by the compiler, but types that a cell declares are nested in it.
    private static string Text(ISymbol symbol, SymbolDisplayFormat format)
    {
        var text = new System.Text.StringBuilder();
        foreach (var part in symbol.ToDisplayParts(format))
        {
            if (part.Symbol is INamedTypeSymbol { ContainingType: { IsScriptClass: true } cell })
            {
                var hasGlobal = text.Length >= 8 && text.ToString(text.Length - 8, 8) == "global::";
                text.Append(hasGlobal ? "" : "global::").Append(cell.MetadataName).Append('.');
            }

            // The value of an enumeration, as a default of a parameter.
            if (part.Symbol is IFieldSymbol { IsConst: true } value && !(text.Length > 0 && text[^1] == '.'))
                text.Append(Text(value.ContainingType, s_type)).Append('.');
            text.Append(part.ToString());
        }

        return text.ToString();
    }
}
