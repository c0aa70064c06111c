namespace Dreambooth.Lab.Tokenizers;

/// <summary>
/// The visible characters in which byte-level BPE files spell bytes (GPT-2): a printable byte of Latin-1 stands for itself,
/// the others for U+0100 and up, in order.
/// </summary>
internal static class ByteSpelling
{
    private static readonly char[] Characters = MakeCharacters();
    private static readonly Dictionary<char, byte> Bytes = Characters.Select((c, b) => (c, b)).ToDictionary(p => p.c, p => (byte)p.b);

    /// <summary>The character that spells a byte.</summary>
    /// <param name="value">The byte.</param>
    /// <returns>A printable character.</returns>
    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>The byte that a character spells.</summary>
    /// <param name="character">A character from <see cref="ToCharacter"/>.</param>
    /// <returns>The byte; <c>?</c> for a character that spells none.</returns>
    public static byte ToByte(char character) => Bytes.TryGetValue(character, out var value) ? value : (byte)'?';

    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
            characters[value] = (char)(value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE ? value : next++);
        return characters;
    }
}
