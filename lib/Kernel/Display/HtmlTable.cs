using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Html;

namespace Dreambooth.Lab.Kernel.Display;

/// <summary>Draws a sequence as a plain HTML table.</summary>
internal static class HtmlTable
{
    private const int MaxRows = 1000;

    /// <summary>A row for each item, a column for each public property or field; one column when items have none.</summary>
    /// <typeparam name="T">The items' static type; the columns are those of the first item's own type.</typeparam>
    /// <param name="items">The items; the first 1,000 are drawn.</param>
    /// <returns>The table.</returns>
    public static IHtmlContent Of<T>(IEnumerable<T> items)
    {
        var rows = items.Take(MaxRows + 1).ToList();
        var type = rows.FirstOrDefault(r => r is not null)?.GetType() ?? typeof(T);
        var columns = Columns(type);
        var html = new StringBuilder("<table><thead><tr>");
        foreach (var (name, _) in columns)
            html.Append("<th>").Append(WebUtility.HtmlEncode(name)).Append("</th>");
        html.Append("</tr></thead><tbody>");
        foreach (var row in rows.Take(MaxRows))
        {
            html.Append("<tr>");
            foreach (var (_, read) in columns)
                html.Append("<td>").Append(WebUtility.HtmlEncode(Text(row is null ? null : read(row)))).Append("</td>");
            html.Append("</tr>");
        }

        html.Append("</tbody></table>");
        if (rows.Count > MaxRows)
            html.Append(CultureInfo.InvariantCulture, $"<p>(the first {MaxRows:N0} rows)</p>");
        return new HtmlString(html.ToString());
    }

    private static List<(string Name, Func<object, object?> Read)> Columns(Type type)
    {
        List<(string Name, Func<object, object?> Read)> columns = [];
        if (!type.IsPrimitive && type != typeof(string))
        {
            columns.AddRange(type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(p => p.GetIndexParameters().Length == 0).Select(p => (p.Name, (Func<object, object?>)p.GetValue)));
            columns.AddRange(type.GetFields(BindingFlags.Public | BindingFlags.Instance).Select(f => (f.Name, (Func<object, object?>)f.GetValue)));
        }

        return columns.Count > 0 ? columns : [("value", v => v)];
    }

    private static string Text(object? value) => value switch
    {
        null => "",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
