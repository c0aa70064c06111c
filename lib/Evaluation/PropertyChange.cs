namespace Dreambooth.Lab.Evaluation;

/// <summary>A change to what a subject is made of, or to its body.</summary>
public enum PropertyChange
{
    /// <summary>None.</summary>
    None,

    /// <summary>Folded from paper.</summary>
    Origami,

    /// <summary>A stuffed toy with seams and button eyes.</summary>
    Plush,

    /// <summary>Half machine: plates of metal and a red eye.</summary>
    Cyborg,

    /// <summary>With large feathered wings.</summary>
    Wings,

    /// <summary>With very long upright ears; a rabbit cannot have them.</summary>
    LongEars,

    /// <summary>Tiny, in a teacup.</summary>
    Teacup,

    /// <summary>A marble statue on a plinth; has no colour of its own.</summary>
    Statue,

    /// <summary>An x-ray: bones in a dark film; has no colour of its own.</summary>
    XRay,

    /// <summary>Made of tinted glass.</summary>
    Glass,

    /// <summary>Made of gold; has no colour of its own.</summary>
    Gold,
}
