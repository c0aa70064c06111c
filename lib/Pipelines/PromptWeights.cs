using System.Globalization;
using System.Text.RegularExpressions;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// A prompt with weights as A1111 writes them: <c>a photo of (gmc cat:1.3)</c>. Brackets without a number, and brackets in brackets, are
/// plain words.
/// </summary>
/// <param name="Text">The prompt without the marks.</param>
/// <param name="Marks">What is weighted, in order.</param>
internal sealed partial record PromptWeights(string Text, IReadOnlyList<WeightMark> Marks)
{
    /// <summary>Takes the marks out of a prompt.</summary>
    /// <param name="prompt">The prompt.</param>
    public static PromptWeights Parse(string prompt)
    {
        var text = new System.Text.StringBuilder();
        var marks = new List<WeightMark>();
        var done = 0;
        foreach (Match match in MarkPattern.Matches(prompt))
        {
            text.Append(prompt, done, match.Index - done);
            var start = text.Length;
            text.Append(match.Groups["text"].Value);
            var weight = double.Parse(match.Groups["weight"].Value, CultureInfo.InvariantCulture);
            marks.Add(new WeightMark(start, text.Length, weight, match.Value));
            done = match.Index + match.Length;
        }

        return new PromptWeights(text.Append(prompt, done, prompt.Length - done).ToString(), marks);
    }

    /// <summary>The weight of every token of a row.</summary>
    /// <param name="tokenizer">Makes the tokens; those before a mark's end are counted by the text up to there.</param>
    /// <param name="length">Tokens of the row.</param>
    /// <returns>1 where nothing is marked, special tokens included.</returns>
    public float[] OfTokens(ITextTokenizer tokenizer, int length)
    {
        var weights = Enumerable.Repeat(1f, length).ToArray();
        var special = tokenizer.Encode(string.Empty).Count;
        foreach (var mark in Marks)
        {
            // The end token is the last; what is special besides comes first. The place of the end token stays as it is.
            var (first, end) = (PlaceOf(mark.Start), Math.Min(PlaceOf(mark.End), length - 1));
            for (var i = first; i < end; i++)
                weights[i] = (float)mark.Weight;
        }

        return weights;

        int PlaceOf(int end) => tokenizer.Encode(Text[..end].TrimEnd()).Count - special + (special - 1);
    }

    [GeneratedRegex(@"\((?<text>[^():\\]+):(?<weight>[0-9]{1,3}(?:\.[0-9]{1,6})?)\)")]
    private static partial Regex MarkPattern { get; }
}
