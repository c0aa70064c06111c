namespace Dreambooth.Lab.Data;

/// <summary>What happens when a picture folder holds files that cannot be used: broken, tiny, CMYK, 16 bits a channel, or no picture.</summary>
public enum BadImagePolicy
{
    /// <summary>One error names all of them.</summary>
    Refuse,

    /// <summary>They are left out and reported.</summary>
    Skip,
}
