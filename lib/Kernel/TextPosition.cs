namespace Dreambooth.Lab.Kernel;

/// <summary>Positions in text: Jupyter counts Unicode characters, .NET counts UTF-16 units.</summary>
internal static class TextPosition
{
    /// <summary>The UTF-16 position of a character position.</summary>
    public static int ToUtf16(string text, int characters)
    {
        var units = 0;
        for (var i = 0; i < characters && units < text.Length; i++)
            units += char.IsHighSurrogate(text[units]) ? 2 : 1;
        return units;
    }

    /// <summary>The character position of a UTF-16 position.</summary>
    public static int ToCharacters(string text, int units)
    {
        var characters = 0;
        for (var i = 0; i < units && i < text.Length; characters++)
            i += char.IsHighSurrogate(text[i]) ? 2 : 1;
        return characters;
    }
}
