using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>The settings of a record, in groups; those that differ from the defaults are marked, the others folded away.</summary>
public sealed record ConfigTable : HtmlView
{
    /// <summary>The settings in order.</summary>
    public required IReadOnlyList<ConfigRow> Rows { get; init; }

    /// <summary>A line over the table; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>What the value of comparison is called. Default "Default".</summary>
    public string DefaultHeading { get; init; } = "Default";

    /// <summary>Whether settings at their defaults stand in the table too; else (the default) in a list that opens on a click.</summary>
    public bool ShowAll { get; init; }

    /// <summary>The settings of a record.</summary>
    /// <typeparam name="T">
    /// Its type. Of a record with options (<see cref="FlagAttribute"/>) those are shown, with their groups; else all public properties.
    /// </typeparam>
    /// <param name="config">The record.</param>
    /// <param name="defaults">
    /// What it is compared with, such as a preset; null for the type's own defaults where it can be made without arguments.
    /// </param>
    public static ConfigTable Of<T>(T config, T? defaults = null)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(config);
        defaults ??= typeof(T).GetConstructor(Type.EmptyTypes) is null ? null : Activator.CreateInstance<T>();
        PropertyInfo[] all =
            [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => property.CanRead && property.GetIndexParameters().Length == 0)];
        PropertyInfo[] options = [.. all.Where(property => property.GetCustomAttribute<FlagAttribute>() is not null)];
        return new ConfigTable { Rows = [.. (options.Length > 0 ? options : all).Select(property => Row(property, config, defaults))] };
    }

    /// <summary>The changed settings, one on a line, and how many others there are.</summary>
    public override string ToText()
    {
        var changed = Rows.Where(row => ShowAll || row.IsChanged)
            .Select(
                row => row.IsChanged
                    ? $"* {row.Name} = {row.Value}  ({DefaultHeading.ToLowerInvariant()}: {row.Default})"
                    : $"  {row.Name} = {row.Value}");
        var kept = Rows.Count(row => !row.IsChanged);
        return string.Join(
            "\n", new[] { Title }.Concat(changed).Append(kept > 0 && !ShowAll ? $"({kept} more at their defaults)" : string.Empty)
                .Where(line => line.Length > 0));
    }

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer)
    {
        writer.Use(ViewAsset.Table);
        if (Title.Length > 0)
            writer.Element("h3", Title);
        ConfigRow[] shown = [.. Rows.Where(row => ShowAll || row.IsChanged)], folded = [.. Rows.Except(shown)];
        if (shown.Length > 0)
            WriteTable(writer, shown);
        if (folded.Length == 0)
            return;
        writer.Open("details", ("class", "lab-more"))
            .Element(
                "summary",
                shown.Length == 0 ? $"all {folded.Length} settings at their defaults" : $"{folded.Length} more at their defaults");
        WriteTable(writer, folded);
        writer.Close();
    }

    private void WriteTable(HtmlWriter writer, IReadOnlyList<ConfigRow> rows)
    {
        var compared = rows.Any(row => row.IsChanged);
        writer.Open("div", ("class", "lab-scroll")).Open("table", ("class", "lab-settings")).Open("thead").Open("tr");
        foreach (var heading in compared ? ["Setting", "Value", DefaultHeading] : new[] { "Setting", "Value" })
            writer.Element("th", heading, ("scope", "col"), ("align", "left"));
        writer.Close().Close().Open("tbody");
        foreach (var group in rows.GroupBy(row => row.Group))
        {
            if (group.Key.Length > 0)
                writer.Open("tr", ("class", "lab-group-row")).Element("td", group.Key, ("colspan", compared ? "3" : "2"), ("align", "left"))
                    .Close();
            foreach (var row in group)
                WriteRow(writer, row, compared);
        }

        writer.Close().Close().Close();
    }

    private static void WriteRow(HtmlWriter writer, ConfigRow row, bool compared)
    {
        writer.Open("tr", ("class", row.IsChanged ? "lab-changed" : null), ("title", row.Help.Length > 0 ? row.Help : null));
        writer.Element("td", row.Name, ("align", "left")).Open("td", ("class", "lab-value"), ("align", "left"));
        if (row.IsChanged)
            writer.Element("b", row.Value);
        else
            writer.Text(row.Value);
        writer.Close();
        if (compared)
            writer.Element("td", row.IsChanged ? row.Default : string.Empty, ("class", "lab-dim"), ("align", "left"));
        writer.Close();
    }

    private static ConfigRow Row(PropertyInfo property, object config, object? defaults)
    {
        var flag = property.GetCustomAttribute<FlagAttribute>();
        var value = Text(property.GetValue(config));
        var usual = defaults is null ? value : Text(property.GetValue(defaults));
        var name = flag is null ? property.Name : JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
        return new ConfigRow(flag?.Group ?? string.Empty, name, value, usual, flag?.Help ?? string.Empty);
    }

    private static string Text(object? value) => value switch
    {
        null or "" => "–",
        bool truth => truth ? "yes" : "no",
        Enum choice => JsonNamingPolicy.SnakeCaseLower.ConvertName(choice.ToString()),
        double number =>
            number.ToString("R", CultureInfo.InvariantCulture).Replace("E-0", "e-", StringComparison.Ordinal).Replace('E', 'e'),
        string text => ShownText.Line(Path.IsPathFullyQualified(text) ? ProjectFolder.Near(text) : text),
        IEnumerable many => string.Join(", ", many.Cast<object?>().Select(Text)) is { Length: > 0 } joined ? joined : "–",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "–",
    };
}
