namespace Dreambooth.Lab.Evaluation;

/// <summary>The main colour of a subject's coat, paint or glaze.</summary>
public enum SubjectColour
{
    /// <summary>Nearly black.</summary>
    Black,

    /// <summary>Nearly white.</summary>
    White,

    /// <summary>A neutral middle grey.</summary>
    Grey,

    /// <summary>A dark warm brown.</summary>
    Brown,

    /// <summary>A ginger orange.</summary>
    Orange,

    /// <summary>A sunny yellow.</summary>
    Yellow,

    /// <summary>A fresh leaf green.</summary>
    Green,

    /// <summary>A clear blue.</summary>
    Blue,

    /// <summary>A violet purple.</summary>
    Purple,

    /// <summary>A rosy pink.</summary>
    Pink,

    /// <summary>A crimson red.</summary>
    Red,
}
