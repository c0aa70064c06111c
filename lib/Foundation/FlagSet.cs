using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dreambooth.Lab.Foundation;

/// <summary>
/// All options of a config record, found by <see cref="FlagAttribute"/>: builds the record from named values and reads and
/// writes it as a recipe file (JSON, one key per option).
/// </summary>
/// <typeparam name="T">The config record; its properties have <c>init</c> accessors and their defaults as initialisers.</typeparam>
public sealed class FlagSet<T>
    where T : class
{
    private const int MostErrors = 20;

    private static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, Flag> _byName = new(StringComparer.Ordinal);

    /// <summary>Finds the options of <typeparamref name="T"/>.</summary>
    public FlagSet()
    {
        var defaults = Activator.CreateInstance<T>();
        foreach (var property in typeof(T).GetProperties())
        {
            if (property.GetCustomAttribute<FlagAttribute>() is not { } attribute)
                continue;
            var flag = new Flag(property, attribute, property.GetValue(defaults));
            foreach (var name in flag.Aliases.Prepend(flag.Name))
                _byName.Add(name, flag);
        }

        All = [.. _byName.Values.Distinct()];
    }

    /// <summary>The options in the order of their declaration.</summary>
    public IReadOnlyList<Flag> All { get; }

    /// <summary>Finds an option by its name or another of its names.</summary>
    /// <param name="name">Snake case, without dashes.</param>
    /// <returns>Null when there is none of this name.</returns>
    public Flag? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Builds the record; options without a value keep their defaults. Nothing is validated here.</summary>
    /// <param name="values">The values by option, as <see cref="Flag.Parse"/> and <see cref="Flag.Read"/> return them.</param>
    public T Build(IReadOnlyDictionary<Flag, object?> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var config = Activator.CreateInstance<T>();
        foreach (var (flag, value) in values)
            flag.Property.SetValue(config, value);
        return config;
    }

    /// <summary>Collects what is wrong with single values: missing, out of range, not one of the choices.</summary>
    /// <param name="config">The record to check.</param>
    /// <returns>One sentence per error, empty when all is well.</returns>
    public IReadOnlyList<string> Check(T config) =>
        [.. All.Select(flag => flag.Check(flag.Property.GetValue(config))).OfType<string>()];

    /// <summary>Writes every option by its name.</summary>
    /// <param name="config">The record to write.</param>
    public string ToJson(T config)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
        {
            writer.WriteStartObject();
            foreach (var flag in All)
            {
                writer.WritePropertyName(flag.Name);
                WriteValue(writer, flag.Property.GetValue(config));
            }

            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    /// <summary>Reads the values of a recipe; comments and trailing commas are allowed.</summary>
    /// <param name="json">The text of the recipe.</param>
    /// <param name="source">Where it comes from (a path), for error messages.</param>
    /// <param name="accepts">Called with the names that are no option; true when the caller takes care of the name.</param>
    /// <exception cref="LabException">Not JSON, no object, or unknown names and wrong values: all of them in one message.</exception>
    public Dictionary<Flag, object?> ReadJson(string json, string source, Func<string, bool>? accepts = null) =>
        Read(JsonField.Parse(json, source), accepts);

    /// <summary>Reads the values of a recipe, as <see cref="ReadJson"/> does.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="accepts">Called with the names that are no option; true when the caller takes care of the name.</param>
    /// <exception cref="LabException">No object, or unknown names and wrong values: all of them in one message.</exception>
    internal Dictionary<Flag, object?> Read(JsonField recipe, Func<string, bool>? accepts = null)
    {
        var source = recipe.Source;
        if (!recipe.IsObject)
            throw new LabException($"{source} is no recipe: it must be one JSON object with an option's name as each key.");
        var values = new Dictionary<Flag, object?>();
        var errors = new List<string>();
        foreach (var entry in recipe.Element.EnumerateObject())
        {
            if (errors.Count == MostErrors)
            {
                errors.Add("There may be more.");
                break;
            }

            if (Find(entry.Name) is not { } flag)
            {
                if (accepts?.Invoke(entry.Name) != true)
                    errors.Add(NoOption(ShownText.Line(entry.Name)));
                continue;
            }

            try
            {
                if (!values.TryAdd(flag, flag.Read(entry.Value)))
                    errors.Add($"{flag.Name} appears twice, the second time as '{ShownText.Line(entry.Name)}'.");
            }
            catch (LabException error)
            {
                errors.Add(error.Message);
            }
        }

        return errors.Count == 0 ? values : throw new LabException($"{source}: {string.Join(" ", errors)}");
    }

    private string NoOption(string name) => $"'{name}' is no option; nearest are {string.Join(", ", NearestNames.Of(name, _byName.Keys))}.";

    private static void WriteValue(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool truth:
                writer.WriteBooleanValue(truth);
                break;
            case int or long or double:
                writer.WriteRawValue(Flag.Format(value));
                break;
            case IReadOnlyList<string> texts:
                writer.WriteStartArray();
                foreach (var text in texts)
                    writer.WriteStringValue(text);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteStringValue(Flag.Format(value));
                break;
        }
    }
}
