namespace Dreambooth.Lab.Miniature.World.Renditions;

/// <summary>Turns a composed scene into a work of art. Instances hold no state.</summary>
internal abstract class RenditionFilter
{
    private static readonly RenditionFilter?[] All =
    [
        null, new WatercolourFilter(), new OilPaintingFilter(), new PixelArtFilter(), new StainedGlassFilter(), new PencilSketchFilter(),
        new WoodblockPrintFilter(), new CubistFilter(), new PopArtFilter(), new MosaicFilter(), new ChalkDrawingFilter(),
    ];

    /// <summary>The filter of a rendition; null for a photo.</summary>
    public static RenditionFilter? Of(Rendition rendition) => All[(int)rendition];

    /// <summary>Changes the pixels of a composition in place.</summary>
    /// <param name="picture">The composed scene.</param>
    /// <param name="random">Decides the details.</param>
    public abstract void Apply(Composition picture, SeededRandom random);
}
