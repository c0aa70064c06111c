using Dreambooth.Lab.Kernel.Display;
using Microsoft.DotNet.Interactive.Formatting;

namespace Microsoft.DotNet.Interactive;

/// <summary>A value as text of one MIME type.</summary>
/// <param name="mimeType">The type.</param>
/// <param name="value">The text.</param>
public sealed class FormattedValue(string mimeType, string value) : IMimeBundle
{
    /// <summary>The MIME type.</summary>
    public string MimeType { get; } = mimeType;

    /// <summary>The text.</summary>
    public string Value { get; } = value;

    /// <summary>Formats a value in several types.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mimeTypes">The types; none means those preferred for the value.</param>
    /// <returns>One entry for each type.</returns>
    public static IReadOnlyList<FormattedValue> CreateManyFromObject(object? value, params string[] mimeTypes) =>
        [.. (mimeTypes.Length > 0 ? mimeTypes : [.. Formatter.GetPreferredMimeTypesFor(value?.GetType())])
            .Select(type => CreateSingleFromObject(value, type))];

    /// <summary>Formats a value in one type.</summary>
    /// <param name="value">The value.</param>
    /// <param name="mimeType">The type; null means the one preferred for the value.</param>
    /// <returns>The formatted value.</returns>
    public static FormattedValue CreateSingleFromObject(object? value, string? mimeType = null)
    {
        mimeType ??= Formatter.GetPreferredMimeTypesFor(value?.GetType()).First();
        return new FormattedValue(mimeType, value.ToDisplayString(mimeType));
    }

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> ToMimeBundle() => new Dictionary<string, string> { [MimeType] = Value };
}
