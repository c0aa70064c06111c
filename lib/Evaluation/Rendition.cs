namespace Dreambooth.Lab.Evaluation;

/// <summary>In which art a painted picture is made.</summary>
public enum Rendition
{
    /// <summary>None: what captions call a photo.</summary>
    Photo,

    /// <summary>A watercolour painting on white paper.</summary>
    Watercolour,

    /// <summary>An oil painting of short thick strokes.</summary>
    OilPainting,

    /// <summary>Pixel art of few colours.</summary>
    PixelArt,

    /// <summary>A stained glass window.</summary>
    StainedGlass,

    /// <summary>A pencil sketch; has no colours.</summary>
    PencilSketch,

    /// <summary>A Japanese woodblock print of few colours.</summary>
    WoodblockPrint,

    /// <summary>A cubist painting.</summary>
    Cubist,

    /// <summary>Pop art: outlines, flat colours and printed dots.</summary>
    PopArt,

    /// <summary>A mosaic of small stones.</summary>
    Mosaic,

    /// <summary>Coloured chalk on a blackboard.</summary>
    ChalkDrawing,
}
