namespace Dreambooth.Lab.Data;

/// <summary>Where a picture's own prompt comes from.</summary>
internal enum CaptionSource
{
    /// <summary>It has none.</summary>
    None,

    /// <summary>From the folder's <c>metadata.jsonl</c>.</summary>
    List,

    /// <summary>From a text file beside it.</summary>
    TextFile,
}
