using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tests.Foundation;

public class FlagSetTests
{
    private static readonly FlagSet<Sample> Flags = new();

    internal enum Colour
    {
        Red,
        DeepBlue,
    }

    [Theory]
    [InlineData("whole_number", "7", 7)]
    [InlineData("half_open", "5e-04", 5e-4)]
    [InlineData("colour", "DEEP_BLUE", Colour.DeepBlue)]
    [InlineData("on", "false", false)]
    [InlineData("choice", "B", "b")]
    [InlineData("text", " as it is ", " as it is ")]
    public void Parse_ValidText_GivesTheValue(string name, string text, object expected) =>
        Assert.Equal(expected, Flags.Find(name)!.Parse([text]));

    [Theory]
    [InlineData("whole_number", "7.5", "whole_number is '7.5'; valid is a whole number, at least 2, at most 9.")]
    [InlineData("whole_number", "1", "whole_number is 1; valid is at least 2, at most 9.")]
    [InlineData("half_open", "1", "half_open is 1; valid is at least 0, less than 1.")]
    [InlineData("half_open", "NaN", "half_open is NaN; valid is at least 0, less than 1.")]
    [InlineData("size", "500", "size is 500; valid is at least 16, a multiple of 16 (nearest: 496 and 512).")]
    [InlineData("colour", "deep_bleu", "colour is 'deep_bleu'; valid are deep_blue, red.")]
    [InlineData("choice", "c", "choice is 'c'; valid are a, b.")]
    [InlineData("on", "maybe", "on is 'maybe'; valid is true or false.")]
    public void Parse_WrongText_SaysWhatIsValid(string name, string text, string message) =>
        Assert.Equal(message, Assert.Throws<LabException>(() => Flags.Find(name)!.Parse([text])).Message);

    [Fact]
    public void Parse_SwitchAlone_IsTrue() => Assert.Equal(true, Flags.Find("on")!.Parse([]));

    [Fact]
    public void Parse_SeveralTexts_LastRulesAndListsKeepAll()
    {
        Assert.Equal(4, Flags.Find("whole_number")!.Parse(["3", "4"]));
        Assert.Equal(["a", "b"], Assert.IsAssignableFrom<IReadOnlyList<string>>(Flags.Find("many")!.Parse(["a", "b"])));
    }

    [Fact]
    public void Find_Alias_IsTheSameFlag() => Assert.Same(Flags.Find("whole_number"), Flags.Find("n"));

    [Fact]
    public void Check_Defaults_NamesOnlyTheMissingRequiredOne() =>
        Assert.Equal(["needed is missing."], Flags.Check(new Sample { Needed = null! }));

    [Fact]
    public void ToJson_EveryKind_ReadsBackEqual()
    {
        var sample = new Sample
        {
            Needed = "größer \"x\"",
            WholeNumber = 9,
            HalfOpen = 5e-6,
            Colour = Colour.DeepBlue,
            On = true,
            Choice = "b",
            Text = null,
            Maybe = 3,
        };
        var again = Flags.Build(Flags.ReadJson(Flags.ToJson(sample), "test"));
        Assert.Equal(sample with { Many = again.Many }, again);
        Assert.Empty(again.Many);
    }

    [Fact]
    public void ReadJson_SeveralErrors_NamesThemAllWithNearestNames()
    {
        var error = Assert.Throws<LabException>(
            () => Flags.ReadJson("""{"colur": "red", "whole_number": "3", "n": 4, "many": ["a", 1]}""", "recipe.json"));
        Assert.StartsWith("recipe.json: 'colur' is no option; nearest are colour, ", error.Message, StringComparison.Ordinal);
        Assert.Contains("whole_number is '\"3\"'; valid is a whole number", error.Message, StringComparison.Ordinal);
        Assert.Contains("many is [\"a\", 1]; valid is a list of texts.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"whole_number\": 3, \"whole_number\": 4}", "x: whole_number appears twice; each key may appear once.")]
    [InlineData("{\"whole_number\": 3, \"n\": 4}", "appears twice")]
    [InlineData("[1]", "must be one JSON object")]
    [InlineData("{", "x is not valid JSON at line 1")]
    [InlineData(
        "{\"needed\": \"\\ud800\"}", "x: needed: the text has half of a surrogate pair (\\uD800 to \\uDFFF), which is no character.")]
    [InlineData("{\"half_open\": 1e400}", "half_open is Infinity; valid is at least 0, less than 1.")]
    [InlineData("{\"whole_number\": 99999999999999999999}", "whole_number is '99999999999999999999'; valid is a whole number")]
    public void ReadJson_NoRecipe_SaysWhy(string json, string reason) =>
        Assert.Contains(reason, Assert.Throws<LabException>(() => Flags.ReadJson(json, "x")).Message, StringComparison.Ordinal);

    internal sealed record Sample
    {
        [Flag("A", "Needed.")]
        public required string Needed { get; init; }

        [Flag("A", "Whole.", Minimum = 2, Maximum = 9, Aliases = ["n"])]
        public int WholeNumber { get; init; } = 3;

        [Flag("A", "Half open.", Minimum = 0, Maximum = 1, OpenMaximum = true)]
        public double HalfOpen { get; init; }

        [Flag("A", "Size.", Minimum = 16, MultipleOf = 16)]
        public int? Size { get; init; }

        [Flag("A", "Colour.")]
        public Colour Colour { get; init; }

        [Flag("A", "Switch.")]
        public bool On { get; init; }

        [Flag("A", "Choice.", Choices = ["a", "b"])]
        public string Choice { get; init; } = "a";

        [Flag("A", "Text.")]
        public string? Text { get; init; }

        [Flag("A", "Maybe.")]
        public long? Maybe { get; init; }

        [Flag("A", "Many.")]
        public IReadOnlyList<string> Many { get; init; } = [];
    }
}
