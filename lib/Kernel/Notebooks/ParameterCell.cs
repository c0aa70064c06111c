using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dreambooth.Lab.Kernel.Notebooks;

/// <summary>
/// The cell that sets a notebook's parameters (papermill's convention): it follows the cell tagged <c>parameters</c>, or stands
/// first when there is none, and is itself tagged <c>injected-parameters</c>, so that another run replaces it.
/// </summary>
public static class ParameterCell
{
    /// <summary>The tag of the cell with the defaults.</summary>
    public const string Tag = "parameters";

    /// <summary>The tag of the injected cell.</summary>
    public const string InjectedTag = "injected-parameters";

    /// <summary>Writes the cell.</summary>
    /// <param name="parameters">
    /// Names and values as text: a number, <c>true</c>, <c>false</c>, <c>null</c>, a JSON list of these, or any other text.
    /// </param>
    /// <param name="defaults">The text of the cell with the defaults, whose declarations give the types; null when there is none.</param>
    /// <returns>C#, one declaration a line.</returns>
    /// <exception cref="KernelException">A name is no C# name, or the defaults do not declare it.</exception>
    public static string Write(IReadOnlyDictionary<string, string> parameters, string? defaults)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        var declared = Declarations(defaults);
        var text = new StringBuilder("// Parameters\n");
        foreach (var (name, value) in parameters)
        {
            if (!SyntaxFacts.IsValidIdentifier(name))
                throw new KernelException($"The parameter '{name}' is no C# name.");
            if (defaults is not null && !declared.ContainsKey(name))
                throw new KernelException(
                    $"The notebook has no parameter '{name}'; its cell tagged 'parameters' declares {Join(declared.Keys)}.");
            var (type, initial) = declared.GetValueOrDefault(name, ("var", null));
            var isText = type == "string" || (type == "var" && initial?.IsKind(SyntaxKind.StringLiteralExpression) == true);
            var literal = isText && value != "null" ? Quote(value) : Literal(value, initial);
            text.Append(CultureInfo.InvariantCulture, $"{Type(type, value, isText)} {name} = {literal};\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    private static string Type(string declared, string value, bool isText) =>
        declared != "var" ? declared : value == "null" ? (isText ? "string" : "object") : "var";

    private static Dictionary<string, (string Type, ExpressionSyntax? Value)> Declarations(string? code)
    {
        var result = new Dictionary<string, (string, ExpressionSyntax?)>();
        if (code is null)
            return result;
        var root = CSharpSyntaxTree.ParseText(code, Engine.CellCompiler.ParseOptions).GetRoot();
        foreach (var declaration in root.DescendantNodes().OfType<VariableDeclarationSyntax>())
        {
            foreach (var variable in declaration.Variables)
                result[variable.Identifier.Text] = (declaration.Type.ToString(), variable.Initializer?.Value);
        }

        return result;
    }

    private static string Literal(string value, ExpressionSyntax? initial)
    {
        if (value is "true" or "false" or "null")
            return value;
        if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) && char.IsAsciiDigit(value[^1]))
            return value + Suffix(value, initial);
        if (value.StartsWith('[') && TryList(value) is { } list)
            return list;
        return Quote(value);
    }

    // `var rate = 1e-4;` stays a double when it is set to 1.
    private static string Suffix(string value, ExpressionSyntax? initial)
    {
        if (initial is PrefixUnaryExpressionSyntax { Operand: var operand })
            initial = operand;
        return initial is not LiteralExpressionSyntax { Token.Value: var number } ? "" : number switch
        {
            double when value.All(c => char.IsAsciiDigit(c) || c is '-' or '+') => ".0",
            float => "f",
            decimal => "m",
            long => "L",
            _ => "",
        };
    }

    private static string? TryList(string value)
    {
        try
        {
            using var json = JsonDocument.Parse(value);
            return "new[] { " + string.Join(", ", json.RootElement.EnumerateArray().Select(Element)) + " }";
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Element(JsonElement element) =>
        element.ValueKind == JsonValueKind.String ? Quote(element.GetString()!) : element.GetRawText();

    private static string Quote(string text) => SymbolDisplay.FormatLiteral(text, quote: true);

    private static string Join(IEnumerable<string> names) => names.Any() ? string.Join(", ", names) : "nothing";
}
