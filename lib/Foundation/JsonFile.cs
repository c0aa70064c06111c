using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dreambooth.Lab.Foundation;

/// <summary>Reads and writes JSON files whose keys are in snake_case, as the published configuration files are.</summary>
internal static class JsonFile
{
    /// <summary>The naming and formatting of such files; unknown keys are ignored, since published files carry many.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        RespectNullableAnnotations = true,
        WriteIndented = true,
    };

    /// <summary>Reads an object.</summary>
    /// <typeparam name="T">What the file holds.</typeparam>
    /// <param name="path">The file.</param>
    /// <exception cref="LabException">
    /// The file is missing, cannot be read, or does not hold such an object; the message names the field.
    /// </exception>
    public static T Read<T>(string path) => JsonField.ReadFile(path).To<T>();

    /// <summary>Writes an object, atomically.</summary>
    /// <typeparam name="T">What to write.</typeparam>
    /// <param name="path">The file.</param>
    /// <param name="value">The object.</param>
    public static void Write<T>(string path, T value) => AtomicFile.WriteAllText(path, JsonSerializer.Serialize(value, Options) + "\n");
}
