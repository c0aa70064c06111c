using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// Puts a poll for interrupts at the head of every loop body, method, local function and block lambda. No line is added,
/// so stack traces keep the cell's own line numbers.
/// </summary>
internal sealed class InterruptPoints : CSharpSyntaxRewriter
{
    private static readonly StatementSyntax s_poll =
        SyntaxFactory.ParseStatement("global::Dreambooth.Lab.Kernel.Engine.CellInterrupt.Poll();");

    /// <summary>A copy of <paramref name="tree"/> with polls.</summary>
    public static SyntaxTree AddTo(SyntaxTree tree)
    {
        var root = new InterruptPoints().Visit(tree.GetRoot())!;
        return CSharpSyntaxTree.Create((CSharpSyntaxNode)root, (CSharpParseOptions)tree.Options, tree.FilePath, System.Text.Encoding.UTF8);
    }

    /// <inheritdoc/>
    public override SyntaxNode? Visit(SyntaxNode? node) => base.Visit(node) switch
    {
        WhileStatementSyntax loop => loop.WithStatement(WithPoll(loop.Statement)),
        DoStatementSyntax loop => loop.WithStatement(WithPoll(loop.Statement)),
        ForStatementSyntax loop => loop.WithStatement(WithPoll(loop.Statement)),
        ForEachStatementSyntax loop => loop.WithStatement(WithPoll(loop.Statement)),
        ForEachVariableStatementSyntax loop => loop.WithStatement(WithPoll(loop.Statement)),
        MethodDeclarationSyntax { Body: { } body } method => method.WithBody(InBlock(body)),
        LocalFunctionStatementSyntax { Body: { } body } function => function.WithBody(InBlock(body)),
        ParenthesizedLambdaExpressionSyntax { Block: { } block } lambda => lambda.WithBlock(InBlock(block)),
        SimpleLambdaExpressionSyntax { Block: { } block } lambda => lambda.WithBlock(InBlock(block)),
        var other => other,
    };

    private static BlockSyntax InBlock(BlockSyntax block) => block.WithStatements(block.Statements.Insert(0, s_poll));

    private static StatementSyntax WithPoll(StatementSyntax body) => body switch
    {
        BlockSyntax block => InBlock(block),
        // A block of its own around a single statement; the statement's trivia, line ends included, stays where it is.
        _ when body.ContainsDiagnostics => body,
        _ => SyntaxFactory.Block(s_poll, body),
    };
}
