using System.Globalization;
using System.Text;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// Names of output folders and pictures, <c>NNN_prompt/img_XX.png</c>, as the DreamBooth tutorial's <c>inference.py</c> names them.
/// </summary>
internal static class PromptFolders
{
    /// <summary>The folder beside those of prompts that has small pictures for their page.</summary>
    public const string Thumbnails = "thumbnails";

    private const int MaximumLength = 80;
    private const int MaximumBytes = 240;

    /// <summary>The folder of one prompt's pictures: its number with three digits, <c>_</c> and its safe name.</summary>
    /// <param name="index">The prompt's place in the list, from 0.</param>
    /// <param name="prompt">The prompt.</param>
    public static string FolderName(int index, string prompt)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return $"{index.ToString("D3", CultureInfo.InvariantCulture)}_{SafeName(prompt)}";
    }

    /// <summary>The file of one picture.</summary>
    /// <param name="index">The picture's place in its folder, from 0.</param>
    public static string ImageName(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return $"img_{index.ToString("D2", CultureInfo.InvariantCulture)}.png";
    }

    /// <summary>
    /// A prompt as a part of a file name: letters and digits of any script, space, <c>_</c> and <c>-</c> stay, every other character
    /// becomes <c>_</c>; then cut to 80 characters (and to the 240 bytes that file systems take) and trimmed.
    /// </summary>
    /// <param name="prompt">The prompt; a character is a Unicode code point.</param>
    public static string SafeName(string prompt)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var name = new StringBuilder();
        var bytes = 0;
        foreach (var rune in prompt.EnumerateRunes().Take(MaximumLength))
        {
            var safe = IsLetterOrNumber(rune) || rune.Value is ' ' or '_' or '-' ? rune : new Rune('_');
            bytes += safe.Utf8SequenceLength;
            if (bytes > MaximumBytes)
                break;
            name.Append(safe);
        }

        return name.ToString().Trim(' ');
    }

    /// <summary>What Python's <c>str.isalnum</c> says: every letter and every number category (checked over all of Unicode 14).</summary>
    private static bool IsLetterOrNumber(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;
}
