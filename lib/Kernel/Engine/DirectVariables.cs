using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// Names the variables that a summary passes on by the object that has them. A property that returns a reference cannot stand on both
/// sides of an await, nor in an expression tree; a field can.
/// </summary>
/// <param name="model">The cell.</param>
/// <param name="summary">The summary's assembly.</param>
/// <param name="passedOn">The variables, and the expression for the object or class that has them.</param>
internal sealed class DirectVariables(SemanticModel model, string summary, IReadOnlyDictionary<string, string> passedOn)
    : CSharpSyntaxRewriter
{
    // References that cannot live across an await or a yield, or inside an expression tree.
    private static readonly string[] s_errors = ["CS8178", "CS8153", "CS9217", "CS8175"];

    /// <summary>Whether an error is one that naming the variables directly mends.</summary>
    public static bool Mends(Diagnostic error) => s_errors.Contains(error.Id);

    /// <inheritdoc/>
    public override SyntaxNode? VisitIdentifierName(IdentifierNameSyntax node) =>
        model.GetSymbolInfo(node).Symbol is IPropertySymbol { ContainingType.IsScriptClass: true } property
            && property.ContainingAssembly.Name == summary && passedOn.TryGetValue(property.Name, out var owner)
            ? SyntaxFactory.ParseExpression($"{owner}.{node}").WithTriviaFrom(node)
            : node;
}
