using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Language;

/// <summary>The signatures of the call whose argument list the cursor stands in, with their documentation.</summary>
internal static partial class SignatureText
{
    private const int MaxSignatures = 12;

    /// <summary>Signatures at a position.</summary>
    /// <param name="document">The cell.</param>
    /// <param name="cursor">The position.</param>
    /// <returns>One line for each overload, then the summary and the parameters; empty when the cursor is in no argument list.</returns>
    public static string At(Document document, int cursor)
    {
        var root = document.GetSyntaxRootAsync().GetAwaiter().GetResult()!;
        var model = document.GetSemanticModelAsync().GetAwaiter().GetResult()!;
        var list = root.FindToken(Math.Max(0, cursor - 1)).Parent?.AncestorsAndSelf().OfType<ArgumentListSyntax>()
            .FirstOrDefault(
                l => l.OpenParenToken.Span.End <= cursor && (l.CloseParenToken.IsMissing || cursor <= l.CloseParenToken.SpanStart));
        IEnumerable<ISymbol> methods = list?.Parent switch
        {
            InvocationExpressionSyntax call => Group(model, call.Expression),
            BaseObjectCreationExpressionSyntax creation =>
                (model.GetTypeInfo(creation).Type as INamedTypeSymbol)?.InstanceConstructors.Cast<ISymbol>() ?? [],
            _ => [],
        };
        var text = new StringBuilder();
        var all = methods.ToList();
        foreach (var method in all.Take(MaxSignatures))
            text.Append(method.ToMinimalDisplayString(model, cursor)).Append('\n');
        if (all.Count > MaxSignatures)
            text.Append(FormattableString.Invariant($"… and {all.Count - MaxSignatures} more\n"));
        if (all.Count > 0)
            text.Append(Documentation(all[0]));
        return text.ToString().TrimEnd();
    }

    private static ImmutableArray<ISymbol> Group(SemanticModel model, ExpressionSyntax expression)
    {
        var group = model.GetMemberGroup(expression);
        if (group.Length > 0)
            return group;
        return model.GetTypeInfo(expression).Type is INamedTypeSymbol { DelegateInvokeMethod: { } invoke } ? [invoke] : [];
    }

    private static string Documentation(ISymbol symbol)
    {
        var xml = symbol.GetDocumentationCommentXml();
        if (string.IsNullOrEmpty(xml))
            return "";
        try
        {
            var root = XElement.Parse(xml);
            var text = new StringBuilder("\n").Append(Plain(root.Element("summary"))).Append('\n');
            foreach (var parameter in root.Elements("param"))
                text.Append("  ").Append(parameter.Attribute("name")?.Value).Append(": ").Append(Plain(parameter)).Append('\n');
            return text.ToString();
        }
        catch (System.Xml.XmlException)
        {
            return "";
        }
    }

    // References such as <see cref="T:System.String"/> become the last part of their name.
    private static string Plain(XElement? element)
    {
        if (element is null)
            return "";
        var words = element.Nodes().Select(n => n switch
        {
            XText text => text.Value,
            XElement { HasElements: false, Value: "" } reference => (reference.FirstAttribute?.Value ?? "").Split('.', ':')[^1],
            XElement inner => Plain(inner),
            _ => "",
        });
        return Blanks().Replace(string.Concat(words), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
