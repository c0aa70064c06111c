using System.Text;
using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Kernel.Engine;

/// <summary>
/// All that later cells can use of earlier ones, written as one cell that can stand for them in the chain of submissions. The chain is
/// what makes a cell dear: each compilation keeps something for every one before it. A variable that no function, lambda or query of a
/// cell uses moves, with its value, into the summary; one that is used, and functions and properties, are passed on to the cell that
/// has them; types keep their cell's name. What is passed on is static: the compiler calls an overload of an earlier cell on the wrong
/// object when a later cell has another of that name.
/// </summary>
internal sealed partial class ChainSummary
{
    private readonly Dictionary<string, Declaration> _declarations = [];
    private readonly Dictionary<string, string> _usings = [];

    /// <summary>How many declarations are in force.</summary>
    public int Count => _declarations.Count;

    /// <summary>Adds what a cell declares; it hides what has the same name.</summary>
    public void Add(CompiledCell cell)
    {
        foreach (var (key, line) in DeclarationReader.UsingsOf(cell))
            _usings[key] = line;
        var own = DeclarationReader.Of(cell).ToList();
        foreach (var hidden in _declarations.Values.Where(d => own.Any(o => Hides(o, d))).ToList())
            _declarations.Remove(hidden.Key);
        foreach (var declaration in own)
            _declarations[declaration.Key] = declaration;
    }

    /// <summary>Writes the summary.</summary>
    /// <param name="isUsed">Whether code of a cell that can run again uses the variable.</param>
    /// <returns>The parts of the summary, or null when something that is in force cannot be written.</returns>
    public SummaryText? Write(Func<string, bool> isUsed)
    {
        var (moved, passedOn) = (new List<Declaration>(), new Dictionary<string, string>());
        var (usings, members) = (new StringBuilder(), new StringBuilder());
        foreach (var line in _usings.Values)
            usings.Append(line).Append('\n');
        foreach (var declaration in _declarations.Values)
        {
            var receiver = declaration.IsStatic ? $"global::{declaration.Owner}" : $"__{declaration.Owner}";
            switch (declaration.Kind)
            {
                case DeclarationKind.Type:
                    usings.Append(declaration.Text == "0"
                        ? $"using @{declaration.Name} = global::{declaration.Owner}.@{declaration.Name};\n"
                        : $"using static global::{declaration.Owner};\n");
                    break;
                case DeclarationKind.Constant:
                    members.Append("const ").Append(declaration.Text).Append(" @").Append(declaration.Name)
                        .Append(" = global::").Append(declaration.Owner).Append(".@").Append(declaration.Name).Append(";\n");
                    break;
                case DeclarationKind.Variable when !declaration.IsStatic && !isUsed(declaration.Name):
                    moved.Add(declaration);
                    members.Append(Moved(declaration));
                    break;
                case DeclarationKind.Variable when declaration.Text is not null:
                    passedOn[declaration.Name] = receiver;
                    members.Append(PassedOn(declaration, receiver));
                    break;
                case DeclarationKind.Function or DeclarationKind.Property when declaration.Text is not null:
                    members.Append("static ").Append(declaration.Text.Replace("{0}", receiver, StringComparison.Ordinal)).Append('\n');
                    break;
                default:
                    return null;
            }
        }

        var owners = Owner().Matches(members.ToString()).Select(m => m.Groups[1].Value).Distinct().ToList();
        foreach (var owner in owners)
            usings.Append("static global::").Append(owner).Append(" __").Append(owner).Append(" = null;\n");
        // A script without members would hold nothing to run.
        return new SummaryText($"{usings}object __summary = null;\n{members}", owners, moved, passedOn);
    }

    /// <summary>Notes that variables are in another cell now.</summary>
    public void Move(IEnumerable<Declaration> moved, string owner)
    {
        foreach (var declaration in moved)
            _declarations[declaration.Key] = declaration with { Owner = owner };
    }

    /// <summary>The names of cells that a text mentions.</summary>
    public static IEnumerable<string> CellsIn(string text) => CellName().Matches(text).Select(m => m.Value).Distinct();

    // The type of an anonymous object has no name: the compiler takes it from the expression that is never evaluated.
    private static string Moved(Declaration variable)
    {
        var modifier = variable.IsReadOnly ? "readonly " : "";
        return variable.Text is not null
            ? $"{modifier}{variable.Text} @{variable.Name} = default;\n"
            : $"{modifier}var @{variable.Name} = false ? __{variable.TypeOwner}.@{variable.Name} : default;\n";
    }

    private static string PassedOn(Declaration variable, string receiver)
    {
        var isReadOnly = variable.IsReadOnly ? "readonly " : "";
        return $"static ref {isReadOnly}{variable.Text} @{variable.Name} => ref {receiver}.@{variable.Name};\n";
    }

    private static bool Hides(Declaration later, Declaration earlier) =>
        later.Key == earlier.Key
        || (later.Name == earlier.Name && !(later.Kind == earlier.Kind && later.Kind is DeclarationKind.Function or DeclarationKind.Type));

    [GeneratedRegex(@"\b__(Cell\d+_\d+)\b")]
    private static partial Regex Owner();

    [GeneratedRegex(@"(?<![A-Za-z0-9])Cell\d+_\d+\b")]
    private static partial Regex CellName();
}

/// <summary>A summary before it is compiled.</summary>
/// <param name="Code">The script.</param>
/// <param name="Owners">The cells whose objects its fields <c>__Cell…</c> take.</param>
/// <param name="Moved">The variables whose values its own fields take.</param>
/// <param name="PassedOn">The variables that stay in their cells, and the expression for the object or class that has them.</param>
internal sealed record SummaryText(
    string Code, IReadOnlyList<string> Owners, IReadOnlyList<Declaration> Moved, IReadOnlyDictionary<string, string> PassedOn);
