namespace Dreambooth.Lab.Evaluation;

/// <summary>Where a subject is.</summary>
public enum SceneKind
{
    /// <summary>A path between trees.</summary>
    Forest,

    /// <summary>A beach by the sea.</summary>
    Beach,

    /// <summary>Snow-covered hills with firs.</summary>
    Snow,

    /// <summary>A street in a city at night.</summary>
    CityNight,

    /// <summary>A windowsill between curtains.</summary>
    Windowsill,

    /// <summary>Inside a cardboard box.</summary>
    CardboardBox,

    /// <summary>Inside an open suitcase.</summary>
    Suitcase,

    /// <summary>A garden with flowers and a fence.</summary>
    Garden,

    /// <summary>A desert with cactuses.</summary>
    Desert,

    /// <summary>A kitchen table.</summary>
    KitchenTable,

    /// <summary>A library: shelves full of books.</summary>
    Library,

    /// <summary>The shore of a mountain lake.</summary>
    MountainLake,

    /// <summary>A hill before a low sun.</summary>
    SunsetHill,

    /// <summary>A round rug in a living room.</summary>
    Rug,

    /// <summary>The moon, with the earth in the sky.</summary>
    Moon,

    /// <summary>Under water, among corals.</summary>
    Underwater,
}
