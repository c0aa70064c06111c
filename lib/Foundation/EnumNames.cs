using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dreambooth.Lab.Foundation;

/// <summary>The names of an enumeration's values on command lines and in files.</summary>
internal static class EnumNames
{
    /// <summary>
    /// All of them, in the order of <see cref="Enum.GetNames(Type)"/>: the name that a value gives itself, else in snake case.
    /// </summary>
    /// <param name="type">The enumeration.</param>
    public static IReadOnlyList<string> Of(Type type) =>
        [.. Enum.GetNames(type).Select(name => Given(type, name) ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(name))];

    /// <summary>One of them.</summary>
    /// <param name="value">The value.</param>
    public static string Of(Enum value) =>
        Given(value.GetType(), value.ToString()) ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());

    /// <summary>The value of a name; null where there is none.</summary>
    /// <typeparam name="T">The enumeration.</typeparam>
    /// <param name="name">One of the names.</param>
    public static T? Find<T>(string name)
        where T : struct, Enum =>
        Of(typeof(T)).Index().Where(entry => entry.Item == name).Select(entry => (T?)Enum.GetValues<T>()[entry.Index]).FirstOrDefault();

    /// <summary>The name that a value gives itself by <see cref="JsonStringEnumMemberNameAttribute"/>; null where it has none.</summary>
    /// <param name="type">The enumeration.</param>
    /// <param name="name">The value's name in the code.</param>
    public static string? Given(Type type, string name) =>
        type.GetField(name)?.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name;
}
