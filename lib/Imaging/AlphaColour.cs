using System.Globalization;

namespace Dreambooth.Lab.Imaging;

/// <summary>What transparent pixels are laid over.</summary>
/// <param name="Red">0 to 255.</param>
/// <param name="Green">0 to 255.</param>
/// <param name="Blue">0 to 255.</param>
internal readonly record struct AlphaColour(byte Red, byte Green, byte Blue)
{
    /// <summary>White.</summary>
    public static AlphaColour White { get; } = new(255, 255, 255);

    /// <summary>Reads a colour.</summary>
    /// <param name="text">white, gray, black, or red, green and blue as #RRGGBB.</param>
    /// <returns>Null where it is none.</returns>
    public static AlphaColour? Parse(string text) => text.Trim().ToUpperInvariant() switch
    {
        "WHITE" => White,
        "GRAY" or "GREY" => new(128, 128, 128),
        "BLACK" => new(0, 0, 0),
        ['#', .. { Length: 6 } digits] when digits.All(char.IsAsciiHexDigit) => OfDigits(digits),
        _ => null,
    };

    /// <summary>The colour as it is given: white, or #RRGGBB.</summary>
    public override string ToString() => this == White ? "white" : $"#{Red:X2}{Green:X2}{Blue:X2}";

    private static AlphaColour OfDigits(string digits)
    {
        var number = int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return new((byte)(number >> 16), (byte)(number >> 8), (byte)number);
    }
}
