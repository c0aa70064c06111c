namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>What a part of a figure is, so that a material knows how to paint it.</summary>
internal enum PartRole
{
    /// <summary>Carries the subject's colour and pattern.</summary>
    Coat,

    /// <summary>A paler form of the subject's colour: belly, muzzle.</summary>
    Pale,

    /// <summary>The pink inside of an ear.</summary>
    Inner,

    /// <summary>Nearly black: nose, tyres, mouth lines.</summary>
    Dark,

    /// <summary>An orange bill or foot.</summary>
    Bill,

    /// <summary>Bare metal.</summary>
    Metal,

    /// <summary>A window or screen.</summary>
    Pane,

    /// <summary>A small lamp.</summary>
    Lamp,

    /// <summary>The tongue.</summary>
    Tongue,

    /// <summary>A mark of a colour of its own (<see cref="FigurePart.Own"/>).</summary>
    Mark,
}
