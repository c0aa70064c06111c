using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Dreambooth.Lab.Foundation;

/// <summary>One option of a config record: its name, what it takes, and how text and JSON become its value.</summary>
public sealed class Flag
{
    private readonly FlagAttribute _attribute;
    private readonly string? _defaultText;

    internal Flag(PropertyInfo property, FlagAttribute attribute, object? defaultValue, string? defaultText = null)
    {
        (_attribute, _defaultText) = (attribute, defaultText ?? attribute.DefaultText);
        Property = property;
        Name = attribute.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        DefaultValue = defaultValue;
        ValueType = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        IsRequired = property.GetCustomAttribute<System.Runtime.CompilerServices.RequiredMemberAttribute>() is not null;
        Choices = ValueType.IsEnum
            ? EnumNames.Of(ValueType)
            : attribute.Choices;
        if (!ValueType.IsEnum && ValueType != typeof(IReadOnlyList<string>)
            && Type.GetTypeCode(ValueType)
                is not (TypeCode.Boolean or TypeCode.Int32 or TypeCode.Int64 or TypeCode.Double or TypeCode.String))
            throw new NotSupportedException($"{property.DeclaringType}.{property.Name}: an option cannot have the type {ValueType}.");
    }

    /// <summary>The name in snake case, without dashes; also the key in a recipe file.</summary>
    public string Name { get; }

    /// <summary>Other names of the same option, in snake case without dashes.</summary>
    public IReadOnlyList<string> Aliases => _attribute.Aliases;

    /// <summary>The heading under which <c>--help</c> lists it.</summary>
    public string Group => _attribute.Group;

    /// <summary>One sentence for <c>--help</c>, without default and range.</summary>
    public string Help => _attribute.Help;

    /// <summary>The valid values, empty where any text or number in range is valid.</summary>
    public IReadOnlyList<string> Choices { get; }

    /// <summary>The value where none is given; null where the option is required or has no default.</summary>
    public object? DefaultValue { get; }

    /// <summary>True when a config is not complete without it.</summary>
    public bool IsRequired { get; }

    /// <summary>True for an option that stands alone and means true (<c>--center_crop</c>).</summary>
    public bool IsSwitch => ValueType == typeof(bool);

    /// <summary>True for an option that takes one or more values.</summary>
    public bool IsList => ValueType == typeof(IReadOnlyList<string>);

    /// <summary>What stands for the value in <c>--help</c>.</summary>
    public string Placeholder => _attribute.Placeholder ?? (Choices.Count > 0 ? string.Join('|', Choices) : Kind.Placeholder);

    /// <summary>The default as text for <c>--help</c>; null when there is nothing to say.</summary>
    public string? DefaultText =>
        DefaultValue is null or "" or false or IReadOnlyList<string> ? _defaultText : Format(DefaultValue);

    internal PropertyInfo Property { get; }

    /// <summary>The same option where another command takes what is not given from elsewhere.</summary>
    /// <param name="defaultText">What <c>--help</c> says of the default.</param>
    internal Flag WithDefault(string defaultText) => new(Property, _attribute, IsSwitch ? false : null, defaultText);

    private Type ValueType { get; }

    private (string What, string Placeholder) Kind => Type.GetTypeCode(ValueType) switch
    {
        _ when ValueType.IsEnum => ("one of " + string.Join(", ", Choices), "NAME"),
        TypeCode.Boolean => ("true or false", "true|false"),
        TypeCode.Int32 or TypeCode.Int64 => ("a whole number", "N"),
        TypeCode.Double => ("a number", "X"),
        _ => ("text", "TEXT"),
    };

    /// <summary>The valid range in words ("at least 1", "from 0 to 1", ...); null where every value is valid.</summary>
    public string? RangeText
    {
        get
        {
            var low = double.IsNegativeInfinity(_attribute.Minimum)
                ? null
                : (_attribute.OpenMinimum ? "more than " : "at least ") + Text(_attribute.Minimum);
            var high = double.IsPositiveInfinity(_attribute.Maximum)
                ? null
                : (_attribute.OpenMaximum ? "less than " : "at most ") + Text(_attribute.Maximum);
            var step = _attribute.MultipleOf > 0 ? $"a multiple of {_attribute.MultipleOf}" : null;
            var parts = new[] { low, high, step }.Where(part => part is not null).ToArray();
            return parts.Length == 0 ? null : string.Join(", ", parts);
        }
    }

    /// <summary>Turns the text of a command line into the option's value.</summary>
    /// <param name="texts">
    /// The values given; an empty list is a switch that stands alone. Of several the last rules, lists keep all.
    /// </param>
    /// <exception cref="LabException">The text is no value of this option, or out of its range.</exception>
    public object? Parse(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (IsList)
            return texts.ToArray();
        if (texts.Count == 0)
            return IsSwitch ? true : throw new LabException($"--{Name} needs {Kind.What}.");
        return Checked(ParseOne(texts[^1]), texts[^1]);
    }

    /// <summary>Turns a value of a recipe file into the option's value.</summary>
    /// <param name="json">Text, number, true, false, null (the default) or, for lists, an array of texts.</param>
    /// <exception cref="LabException">The value is none of this option, or out of its range.</exception>
    public object? Read(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null)
            return DefaultValue;
        if (IsList)
        {
            return json.ValueKind == JsonValueKind.Array && json.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
                ? json.EnumerateArray().Select(item => item.GetString()!).ToArray()
                : throw new LabException($"{Name} is {ShownText.Line(json.GetRawText())}; valid is a list of texts.");
        }

        var isText = ValueType == typeof(string) || ValueType.IsEnum;
        if (json.ValueKind is JsonValueKind.Object or JsonValueKind.Array || isText != (json.ValueKind == JsonValueKind.String))
            throw Wrong(json.GetRawText());
        var text = isText ? json.GetString()! : json.GetRawText();
        return Checked(ParseOne(text), text);
    }

    /// <summary>Says what is wrong with a value, null when it is valid.</summary>
    /// <param name="value">The property's value.</param>
    public string? Check(object? value)
    {
        if (value is null or "")
            return IsRequired ? $"{Name} is missing." : null;
        if (value is Enum && !Enum.IsDefined(ValueType, value))
            return Wrong(Format(value)).Message;
        if (value is string text && Choices.Count > 0 && !Choices.Contains(text, StringComparer.OrdinalIgnoreCase))
            return Wrong(text).Message;
        if (value is not (int or long or double))
            return null;
        var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
        var inside = (_attribute.OpenMinimum ? number > _attribute.Minimum : number >= _attribute.Minimum)
            && (_attribute.OpenMaximum ? number < _attribute.Maximum : number <= _attribute.Maximum)
            && double.IsFinite(number);
        if (inside && (_attribute.MultipleOf == 0 || number % _attribute.MultipleOf == 0))
            return null;
        return $"{Name} is {Text(number)}; valid is {RangeText ?? "a finite number"}{NearestMultiple(number)}.";
    }

    internal static string Format(object value) => value switch
    {
        Enum named => EnumNames.Of(named),
        bool truth => truth ? "true" : "false",
        double number => Text(number),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private string NearestMultiple(double number)
    {
        var step = _attribute.MultipleOf;
        if (step == 0 || !double.IsFinite(number))
            return "";
        var below = Math.Max(Math.Max(step, _attribute.Minimum), Math.Floor(number / step) * step);
        return $" (nearest: {Text(below)} and {Text(Math.Min(below + step, _attribute.Maximum))})";
    }

    private object? Checked(object? value, string text) =>
        Check(value) is { } error && !string.IsNullOrEmpty(text) ? throw new LabException(error) : value;

    private object? ParseOne(string text)
    {
        var trimmed = text.Trim();
        if (ValueType == typeof(string))
            return Choices.FirstOrDefault(choice => string.Equals(choice, trimmed, StringComparison.OrdinalIgnoreCase)) ?? text;
        if (ValueType.IsEnum)
        {
            var index = Choices.ToList().FindIndex(choice => string.Equals(choice, trimmed, StringComparison.OrdinalIgnoreCase));
            return index >= 0 ? Enum.Parse(ValueType, Enum.GetNames(ValueType)[index]) : throw Wrong(text);
        }

        if (ValueType == typeof(bool))
        {
            return trimmed.ToLowerInvariant() switch
            {
                "true" or "1" or "yes" or "on" => true,
                "false" or "0" or "no" or "off" => false,
                _ => throw Wrong(text),
            };
        }

        if (ValueType == typeof(int) && int.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return whole;
        if (ValueType == typeof(long) && long.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var large))
            return large;
        if (ValueType == typeof(double) && double.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number;
        throw Wrong(text);
    }

    private LabException Wrong(string text)
    {
        text = ShownText.Line(text);
        if (Choices.Count == 0)
            return new LabException($"{Name} is '{text}'; valid is {Kind.What}{(RangeText is { } range ? ", " + range : "")}.");
        return new LabException($"{Name} is '{text}'; valid are {string.Join(", ", NearestNames.Of(text, Choices, Choices.Count))}.");
    }
}
