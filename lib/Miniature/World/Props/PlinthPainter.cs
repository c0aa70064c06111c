using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Props;

/// <summary>Paints the stone plinth under a statue, in picture units, its foot at the origin.</summary>
internal static class PlinthPainter
{
    /// <summary>How high its top is above its foot.</summary>
    public const float Height = 16;

    /// <summary>Paints the plinth.</summary>
    /// <param name="p">The painter.</param>
    /// <param name="halfWidth">Half its width.</param>
    public static void Paint(Painter p, float halfWidth)
    {
        var line = Tint.Hex(0x5C5860);
        foreach (var (grow, top, bottom) in (ReadOnlySpan<(float, float, float)>)[(3, -4, 0), (0, -12, -4), (4, -Height, -12)])
        {
            using var slab = Outline.Box(-halfWidth - grow, top, halfWidth + grow, bottom, 1);
            p.StrokeKept(slab, line, 1.4f);
            p.Blend(slab, -halfWidth, 0, halfWidth, 0, Tint.Hex(0xF4F1EC), Tint.Hex(0xC9C4C0), Tint.Hex(0x8B8790));
        }
    }
}
