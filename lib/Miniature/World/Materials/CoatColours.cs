using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Materials;

/// <summary>The colours that a coat is painted with.</summary>
/// <param name="Base">The main colour.</param>
/// <param name="Pale">Belly and muzzle.</param>
/// <param name="Figure">The pattern's colour.</param>
/// <param name="Line">The outline.</param>
internal readonly record struct CoatColours(SKColor Base, SKColor Pale, SKColor Figure, SKColor Line)
{
    /// <summary>The colours of a named colour and pattern.</summary>
    public static CoatColours Of(SubjectColour colour, CoatPattern pattern, SeededRandom random)
    {
        var pure = Pure(colour);
        var main = Tint.Vary(pure, random, 7);
        var pale = colour switch
        {
            SubjectColour.White => Tint.Hex(0xFFFDF8),
            SubjectColour.Black => Tint.Hex(0x5A5560),
            SubjectColour.Grey => Tint.Hex(0xC4C4C8),
            _ => Tint.Mix(main, Tint.Hex(0xFFF3E0), 0.58f),
        };
        // A mark never makes one colour look like another: white stays mostly white, black mostly black.
        var figure = (pattern, colour) switch
        {
            (CoatPattern.Patched, SubjectColour.White) => Tint.Hex(0x4A4652),
            (CoatPattern.Patched, _) => Tint.Hex(0xFBF6EC),
            (CoatPattern.Checked, SubjectColour.White) => Tint.Hex(0xB4ADBA),
            (CoatPattern.Checked, SubjectColour.Grey) => Tint.Hex(0x5C5C64),
            (CoatPattern.Checked, SubjectColour.Black) => Tint.Hex(0x6E6A76),
            (_, SubjectColour.White) => Tint.Hex(0x847E8A),
            (_, SubjectColour.Black) => Tint.Hex(0x85828E),
            (_, SubjectColour.Brown) => Tint.Hex(0x33190E),
            _ => Tint.Darker(main, 0.56f),
        };
        return new CoatColours(main, pale, figure, Tint.Darker(main, colour == SubjectColour.White ? 0.5f : 0.62f));
    }

    /// <summary>The typical colour of a name.</summary>
    public static SKColor Pure(SubjectColour colour) => Tint.Hex(colour switch
    {
        SubjectColour.Black => 0x2E2B33,
        SubjectColour.White => 0xF4F1EC,
        SubjectColour.Grey => 0x8F9096,
        SubjectColour.Brown => 0x7C4A2A,
        SubjectColour.Orange => 0xF08A2C,
        SubjectColour.Yellow => 0xF7D038,
        SubjectColour.Green => 0x55B04A,
        SubjectColour.Blue => 0x3D7FE0,
        SubjectColour.Purple => 0x8A4CC4,
        SubjectColour.Pink => 0xF58FB8,
        _ => 0xD62F35,
    });
}
