namespace Dreambooth.Lab.Lessons;

/// <summary>Model and extent of a notebook's work.</summary>
public enum PresetSize
{
    /// <summary>The miniature with the fewest pictures and steps: shows in seconds that everything runs, not how well.</summary>
    Tiny,

    /// <summary>The miniature in full: minutes on two processor cores.</summary>
    Standard,

    /// <summary>Stable Diffusion 3.5-medium as in the tutorial, on a GPU.</summary>
    Full,
}
