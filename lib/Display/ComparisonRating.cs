using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>
/// A blind comparison of two kinds of pictures: each pair side by side, in an order that depends on the seed and is not shown.
/// <see cref="Choose"/> records a choice and moves to the next pair: the only view with state.
/// </summary>
public sealed record ComparisonRating : HtmlView
{
    private const string HowTo =
        "Choose(\"left\"), Choose(\"right\") or Choose(\"tie\") records the choice and shows the next pair; Undo() takes it back.";
    private readonly List<ComparisonChoice> _choices = [];

    /// <summary>The pairs in the order in which they are shown.</summary>
    public required IReadOnlyList<ComparisonPair> Pairs { get; init; }

    /// <summary>What the first kind is: "LoRA scale 0.7". Shown in the summary alone.</summary>
    public string FirstName { get; init; } = "first";

    /// <summary>What the second kind is. Shown in the summary alone.</summary>
    public string SecondName { get; init; } = "second";

    /// <summary>Decides which of each pair stands left. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>The widest a picture gets, in CSS pixels, 32 … 1024. Default 300.</summary>
    public int CellSize { get; init; } = 300;

    /// <summary>What was chosen so far, of the pairs in order.</summary>
    public IReadOnlyList<ComparisonChoice> Choices => _choices;

    /// <summary>Whether every pair is decided.</summary>
    public bool IsDone => _choices.Count >= Pairs.Count;

    /// <summary>Records a choice for the current pair and moves to the next.</summary>
    /// <param name="side">"left", "right" or "tie".</param>
    /// <returns>This rating, for the notebook to show the next pair.</returns>
    /// <exception cref="LabException">Another word, or nothing is left to choose.</exception>
    public ComparisonRating Choose(string side)
    {
        if (IsDone)
            throw new LabException("Every pair is decided; Summary() tells the result.");
        var swapped = IsSwapped(_choices.Count);
        _choices.Add(side?.Trim().ToLowerInvariant() switch
        {
            "left" => swapped ? ComparisonChoice.Second : ComparisonChoice.First,
            "right" => swapped ? ComparisonChoice.First : ComparisonChoice.Second,
            "tie" => ComparisonChoice.Tie,
            _ => throw new LabException($"The choice is \"{side}\"; valid are \"left\", \"right\" and \"tie\"."),
        });
        return this;
    }

    /// <summary>Undoes the last choice.</summary>
    /// <returns>This rating.</returns>
    public ComparisonRating Undo()
    {
        if (_choices.Count > 0)
            _choices.RemoveAt(_choices.Count - 1);
        return this;
    }

    /// <summary>How often each kind was chosen. This reveals which is which.</summary>
    public TextTable Summary()
    {
        string Share(int count) => _choices.Count == 0 ? "–" : $"{100.0 * count / _choices.Count:0} %";
        (string Name, int Count)[] counts =
        [
            (FirstName, _choices.Count(choice => choice == ComparisonChoice.First)),
            (SecondName, _choices.Count(choice => choice == ComparisonChoice.Second)),
            ("no difference", _choices.Count(choice => choice == ComparisonChoice.Tie)),
        ];
        return TextTable.Of(
            counts, ("Preferred", entry => entry.Name), ("Pairs", entry => entry.Count), ("Share", entry => Share(entry.Count))) with
        {
            Note = $"{_choices.Count} of {Pairs.Count} pairs decided, blind, in an order by seed {Seed}.",
        };
    }

    /// <summary>The current pair, or the summary when all are decided.</summary>
    public override string ToText() => IsDone ? Summary().ToText() : $"{Heading()}\n{HowTo}";

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        if (IsDone)
        {
            Summary().Write(writer);
            return;
        }

        var pair = Pairs[_choices.Count];
        var (left, right) = IsSwapped(_choices.Count) ? (pair.Second, pair.First) : (pair.First, pair.Second);
        new ImageGrid
        {
            Title = Heading(),
            Rows = [[Blind(left), Blind(right)]],
            ColumnHeadings = ["left", "right"],
            CellSize = CellSize,
        }.Write(writer);
        writer.Element("p", HowTo, ("class", "lab-note"));
    }

    // Caption, details and file name must not reveal the kind.
    private static GridCell Blind(GridCell cell) => GridCell.Of(cell.Load());

    private string Heading() =>
        $"Pair {_choices.Count + 1} of "
        + $"{Pairs.Count}{(Pairs[_choices.Count].Question.Length > 0 ? ": " : string.Empty)}{Pairs[_choices.Count].Question}";

    private bool IsSwapped(int pair) => (SplitMix64.At(unchecked((ulong)Seed), (ulong)pair) & 1) == 1;
}
