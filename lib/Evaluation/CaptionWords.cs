namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// The phrases that captions are made of. In templates, <c>{0}</c> stands for the subject with its article, <c>{1}</c> without.
/// </summary>
internal static class CaptionWords
{
    /// <summary>Words that the grammar adds.</summary>
    public static readonly string[] Grammar = ["a", "an", "with", "wearing"];

    /// <summary>Words for a subject that may be said instead of none.</summary>
    public static readonly string[] Plain = ["plain"];

    /// <summary>Where a subject looks.</summary>
    public static readonly string[] Facing = ["looking left", "looking right"];

    /// <summary>Names of kinds.</summary>
    public static string Kind(SubjectKind kind) => kind switch
    {
        SubjectKind.Cat => "cat",
        SubjectKind.Dog => "dog",
        SubjectKind.Rabbit => "rabbit",
        SubjectKind.Fox => "fox",
        SubjectKind.Bear => "bear",
        SubjectKind.Duck => "duck",
        SubjectKind.Robot => "robot",
        SubjectKind.Teapot => "teapot",
        _ => "car",
    };

    /// <summary>Names of colours.</summary>
    public static string[] Colour(SubjectColour colour) => colour switch
    {
        SubjectColour.Black => ["black"],
        SubjectColour.White => ["white"],
        SubjectColour.Grey => ["grey", "grey", "gray"],
        SubjectColour.Brown => ["brown"],
        SubjectColour.Orange => ["orange"],
        SubjectColour.Yellow => ["yellow"],
        SubjectColour.Green => ["green"],
        SubjectColour.Blue => ["blue"],
        SubjectColour.Purple => ["purple"],
        SubjectColour.Pink => ["pink"],
        _ => ["red"],
    };

    /// <summary>Names of patterns.</summary>
    public static string Pattern(CoatPattern pattern) => pattern switch
    {
        CoatPattern.Striped => "striped",
        CoatPattern.Spotted => "spotted",
        CoatPattern.Patched => "patched",
        CoatPattern.Checked => "checked",
        _ => Plain[0],
    };

    /// <summary>Words for poses.</summary>
    public static string[] Pose(SubjectPose pose) => pose switch
    {
        SubjectPose.Sitting => ["sitting"],
        SubjectPose.Standing => ["standing"],
        _ => ["lying", "lying down"],
    };

    /// <summary>Names of what is worn, with their articles.</summary>
    public static string[] Accessory(Accessory accessory) => accessory switch
    {
        Evaluation.Accessory.Scarf => ["a scarf"],
        Evaluation.Accessory.Hat => ["a hat", "a top hat"],
        Evaluation.Accessory.BowTie => ["a bow tie"],
        Evaluation.Accessory.Glasses => ["glasses"],
        Evaluation.Accessory.Collar => ["a collar", "a collar with a bell"],
        Evaluation.Accessory.Crown => ["a crown", "a golden crown"],
        Evaluation.Accessory.PartyHat => ["a party hat"],
        _ => [],
    };

    /// <summary>Where a scene is.</summary>
    public static string[] Scene(SceneKind scene) => scene switch
    {
        SceneKind.Forest => ["in a forest", "on a forest path", "in the woods"],
        SceneKind.Beach => ["on a beach", "on the beach", "on the sand by the sea"],
        SceneKind.Snow => ["in the snow", "on a snowy hill"],
        SceneKind.CityNight => ["in a city at night", "on a city street at night"],
        SceneKind.Windowsill => ["on a windowsill", "in front of a window"],
        SceneKind.CardboardBox => ["in a cardboard box", "in a box"],
        SceneKind.Suitcase => ["in a suitcase", "in an open suitcase"],
        SceneKind.Garden => ["in a garden", "in a garden with flowers"],
        SceneKind.Desert => ["in a desert", "in the desert"],
        SceneKind.KitchenTable => ["on a kitchen table", "on a table in a kitchen"],
        SceneKind.Library => ["in a library", "in front of books in a library"],
        SceneKind.MountainLake => ["by a mountain lake", "by a lake in the mountains"],
        SceneKind.SunsetHill => ["on a hill at sunset", "in front of a sunset"],
        SceneKind.Rug => ["on a rug", "on a rug in a living room"],
        SceneKind.Moon => ["on the moon"],
        _ => ["under water", "under the sea"],
    };

    /// <summary>Templates of an art.</summary>
    public static string[] Rendition(Rendition rendition) => rendition switch
    {
        Evaluation.Rendition.Watercolour => ["a watercolour painting of {0}", "a watercolor painting of {0}", "a watercolour of {0}"],
        Evaluation.Rendition.OilPainting => ["an oil painting of {0}", "an impressionist oil painting of {0}"],
        Evaluation.Rendition.PixelArt => ["pixel art of {0}", "a pixel art picture of {0}"],
        Evaluation.Rendition.StainedGlass => ["a stained glass window of {0}", "a stained glass picture of {0}"],
        Evaluation.Rendition.PencilSketch => ["a pencil sketch of {0}", "a pencil drawing of {0}"],
        Evaluation.Rendition.WoodblockPrint => ["a ukiyo-e print of {0}", "a japanese woodblock print of {0}", "a woodblock print of {0}"],
        Evaluation.Rendition.Cubist => ["a cubist painting of {0}", "a cubist picture of {0}"],
        Evaluation.Rendition.PopArt => ["pop art of {0}", "a pop art picture of {0}"],
        Evaluation.Rendition.Mosaic => ["a mosaic of {0}", "a stone mosaic of {0}"],
        Evaluation.Rendition.ChalkDrawing => ["a chalk drawing of {0}", "a chalk drawing on a blackboard of {0}"],
        _ => ["a photo of {0}", "a photo of {0}", "a picture of {0}", "{0}"],
    };

    /// <summary>Templates of a change.</summary>
    public static string[] Property(PropertyChange property) => property switch
    {
        PropertyChange.Origami => ["an origami {1}", "{0} made of origami paper", "{0} folded from paper"],
        PropertyChange.Plush => ["a plush {1}", "a plush toy {1}", "{0} as a plush toy"],
        PropertyChange.Cyborg => ["a cyborg {1}", "{0} as a cyborg"],
        PropertyChange.Wings => ["{0} with wings", "{0} with large wings"],
        PropertyChange.LongEars => ["{0} with long ears", "{0} with very long ears"],
        PropertyChange.Teacup => ["a tiny {1} in a teacup", "{0} in a teacup"],
        PropertyChange.Statue => ["a marble statue of {0}", "a statue of {0}", "{0} as a marble statue"],
        PropertyChange.XRay => ["an x-ray of {0}", "an x-ray picture of {0}"],
        PropertyChange.Glass => ["a glass {1}", "{0} made of glass"],
        PropertyChange.Gold => ["a golden {1}", "{0} made of gold"],
        _ => ["{0}"],
    };
}
