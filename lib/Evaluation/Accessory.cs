namespace Dreambooth.Lab.Evaluation;

/// <summary>Something that a subject wears.</summary>
public enum Accessory
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A thick scarf round the neck.</summary>
    Scarf,

    /// <summary>A top hat.</summary>
    Hat,

    /// <summary>A bow tie under the chin.</summary>
    BowTie,

    /// <summary>Round glasses.</summary>
    Glasses,

    /// <summary>A collar with a bell.</summary>
    Collar,

    /// <summary>A golden crown.</summary>
    Crown,

    /// <summary>A party hat: a striped cone with a ball on top.</summary>
    PartyHat,
}
