namespace Dreambooth.Lab.Data;

/// <summary>What happens when a picture folder holds unusable files: broken, tiny, CMYK, 16 bits per channel, or not a picture.</summary>
public enum BadImagePolicy
{
    /// <summary>One error names all of them.</summary>
    Refuse,

    /// <summary>They are left out and reported.</summary>
    Skip,
}
