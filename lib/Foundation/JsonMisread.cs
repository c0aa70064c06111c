using System.Collections;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace Dreambooth.Lab.Foundation;

/// <summary>Says in the project's words which field the JSON serializer could not read, and what belongs there.</summary>
internal static partial class JsonMisread
{
    /// <summary>The error of a value that is not what a type needs.</summary>
    /// <param name="root">The value that was read.</param>
    /// <param name="type">What it was read as.</param>
    /// <param name="error">What the serializer says.</param>
    public static LabException Explain(JsonField root, Type type, JsonException error)
    {
        var (field, wanted) = (root, type);
        foreach (Match step in Steps.Matches(error.Path ?? string.Empty))
        {
            if (step.Groups["index"] is { Success: true, Value: var index })
            {
                field = field.IsList
                    && field.Items().ElementAtOrDefault(int.Parse(index, CultureInfo.InvariantCulture)) is { Source: not null } item
                        ? item
                        : field;
                wanted = ItemType(wanted);
                continue;
            }

            var key = step.Groups["key"] is { Success: true } plain ? plain.Value : step.Groups["quoted"].Value;
            if (!field.IsObject || !field.Element.TryGetProperty(key, out _))
                break;
            (field, wanted) = (field.Get(key), ValueType(wanted, key));
        }

        return Missing(field, wanted) ?? new LabException(field.Wrong(Describe(wanted)).Message, error);
    }

    [GeneratedRegex(@"\[(?<index>\d+)\]|\['(?<quoted>[^']*)'\]|\.(?<key>[^.\[]+)", RegexOptions.CultureInvariant)]
    private static partial Regex Steps { get; }

    private static LabException? Missing(JsonField field, Type wanted)
    {
        if (!field.IsObject)
            return null;
        var missing = Properties(wanted).Where(property => property.IsRequired && !field.Element.TryGetProperty(property.Name, out _))
            .Select(property => JsonField.Child(field.Path, property.Name)).ToList();
        return missing.Count == 0
            ? null
            : new LabException($"{field.Source}: {string.Join(", ", missing)} {(missing.Count == 1 ? "is" : "are")} missing.");
    }

    private static Type ValueType(Type type, string key) =>
        Properties(type).FirstOrDefault(property => property.Name == key)?.PropertyType ?? type.GenericTypeArguments.LastOrDefault()
            ?? typeof(object);

    private static Type ItemType(Type type) => type.GetElementType() ?? type.GenericTypeArguments.FirstOrDefault() ?? typeof(object);

    private static IList<JsonPropertyInfo> Properties(Type type)
    {
        JsonFile.Options.MakeReadOnly(populateMissingResolver: true);
        return JsonFile.Options.GetTypeInfo(Nullable.GetUnderlyingType(type) ?? type).Properties;
    }

    private static string Describe(Type type)
    {
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        var what = Type.GetTypeCode(plain) switch
        {
            _ when plain.IsEnum => "one of " + string.Join(", ", Enum.GetNames(plain).Select(name => EnumNames.Given(plain, name) ?? name)),
            TypeCode.Boolean => "true or false",
            TypeCode.Int32 => $"a whole number from {int.MinValue} to {int.MaxValue}",
            TypeCode.Int64 or TypeCode.UInt64 => "a whole number",
            TypeCode.Double or TypeCode.Single => "a number",
            TypeCode.String => "a text",
            TypeCode.DateTime => "a time",
            _ when plain == typeof(DateTimeOffset) => "a time, as 2026-01-31T12:00:00Z",
            _ when IsDictionary(plain) => "a JSON object",
            _ when plain.IsAssignableTo(typeof(IEnumerable)) => "a list",
            _ => "a JSON object",
        };
        return plain == type ? what : what + ", or null";
    }

    private static bool IsDictionary(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() is var definition
        && (definition == typeof(Dictionary<,>) || definition == typeof(IReadOnlyDictionary<,>) || definition == typeof(IDictionary<,>));
}
