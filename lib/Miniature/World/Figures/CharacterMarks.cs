using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>The marks of one special cat, which no ordinary picture has.</summary>
internal sealed record CharacterMarks
{
    /// <summary>The coat of back, head and legs.</summary>
    public SKColor Coat { get; init; } = Tint.Hex(0x9AA7B8);

    /// <summary>The belly, chest and muzzle.</summary>
    public SKColor Belly { get; init; } = Tint.Hex(0xF7EBD8);

    /// <summary>The mask across the eyes, the socks and the rings of the tail.</summary>
    public SKColor Mask { get; init; } = Tint.Hex(0x2E2A3A);

    /// <summary>The stripe from forehead to chin.</summary>
    public SKColor Blaze { get; init; } = Tint.Hex(0xFBF4E6);

    /// <summary>The one ginger ear.</summary>
    public SKColor Ear { get; init; } = Tint.Hex(0xE88A2E);

    /// <summary>The eye on the cat's right (the left of a picture).</summary>
    public SKColor LeftEye { get; init; } = Tint.Hex(0x49B8F2);

    /// <summary>The eye on the cat's left.</summary>
    public SKColor RightEye { get; init; } = Tint.Hex(0xF6B21E);
}
