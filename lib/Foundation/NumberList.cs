using System.Globalization;

namespace Dreambooth.Lab.Foundation;

/// <summary>Lists of block or layer numbers written as text, such as <c>12,30</c>.</summary>
internal static class NumberList
{
    /// <summary>Reads whole numbers from 0, separated by commas.</summary>
    /// <param name="text">The list.</param>
    /// <returns>Null when the text is no such list, or an empty one.</returns>
    public static IReadOnlyList<int>? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var numbers = new List<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return null;
            numbers.Add(number);
        }

        return numbers.Count == 0 ? null : numbers;
    }
}
