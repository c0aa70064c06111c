using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>How a scene receives its subject, in units of 1/128 of the picture's side.</summary>
internal sealed record Setting
{
    /// <summary>The height at which the subject stands, measured from the top.</summary>
    public float Ground { get; init; } = 112;

    /// <summary>How large a subject is here; 1 is usual.</summary>
    public float Scale { get; init; } = 1;

    /// <summary>When set, everything of the subject below this height is behind the scene's front.</summary>
    public float? Rim { get; init; }

    /// <summary>The colour of the lit side.</summary>
    public SKColor Bright { get; init; } = Tint.Hex(0xFFFBEF);

    /// <summary>The colour of the side in shadow, and of the shadow on the ground.</summary>
    public SKColor Shade { get; init; } = Tint.Hex(0x1A1230);

    /// <summary>A tint over the subject; its opacity says how much.</summary>
    public SKColor Ambient { get; init; } = SKColors.Transparent;
}
