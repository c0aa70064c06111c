namespace Dreambooth.Lab.Data;

/// <summary>Where it stands which part of an instance picture is learned.</summary>
public enum MaskSource
{
    /// <summary>Everything is learned.</summary>
    None,

    /// <summary>In the pictures: their opaque part is learned.</summary>
    Alpha,

    /// <summary>In a folder of masks with the pictures' names: what is white there is learned.</summary>
    Folder,
}
