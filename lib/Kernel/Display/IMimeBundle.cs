namespace Dreambooth.Lab.Kernel.Display;

/// <summary>
/// A value that brings its own MIME bundle, for types with several representations at once (a chart as vector and as picture).
/// </summary>
public interface IMimeBundle
{
    /// <summary>The representations, best first.</summary>
    /// <returns>MIME type to content; pictures in base64, JSON types as JSON text. Should hold <c>text/plain</c>.</returns>
    IReadOnlyDictionary<string, string> ToMimeBundle();
}
