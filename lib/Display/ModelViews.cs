using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Display;

/// <summary>Views of the machine and of a model's parts, as tables and charts.</summary>
public static class ModelViews
{
    /// <summary>What the lab found on this machine; files of the project and of the user by their short paths.</summary>
    /// <param name="report">What <c>doctor</c> says.</param>
    public static TextTable Table(this SystemReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return TextTable.Of(
            report.Facts, ("", fact => fact.Label.Trim()), ("found here", fact => Shorten(fact.Value, report.Libraries.TorchFolder))) with
        {
            Note = report.Usable ? "The lab can run here." : string.Join(" ", report.Problems),
        };
    }

    /// <summary>Which hub is used, who is logged in, and what is cached; makes no network requests and shows no part of a token.</summary>
    /// <param name="options">What the environment says.</param>
    public static TextTable Table(this HubOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var cached = new HubCache(options.CacheFolder).List();
        (string, string)[] rows =
        [
            ("hub", options.Endpoint.AbsoluteUri + (options.Offline ? " (offline: cached files only)" : string.Empty)),
            ("login",
                HubToken.Find(options) is { } token
                    ? $"a token from {Shorten(token.Source, options.TokenPath)}"
                    : "none; `dotnet run -- hub login` keeps one"),
            ("cache", ProjectFolder.Near(options.CacheFolder)),
            ("cached",
                cached.Count == 0 ? "nothing" : string.Join(", ", cached.Select(repo => $"{repo.Repo} ({ByteSize.Text(repo.Bytes)})"))),
        ];
        return TextTable.Of(rows, ("", row => row.Item1), ("found here", row => row.Item2));
    }

    /// <summary>A model folder's components, their classes, files and sizes on disk.</summary>
    /// <param name="index">The folder's index.</param>
    public static TextTable Table(this ModelIndex index)
    {
        ArgumentNullException.ThrowIfNull(index);
        return TextTable.Of(
            index.Components,
            ("Folder", component => component.Name + "/"),
            ("Class", component => component.ClassName),
            ("Files", component => string.Join(", ", component.Files)),
            ("On disk", component => ByteSize.Text(component.Bytes)));
    }

    /// <summary>The parameters of a pipeline's models, and their part of all.</summary>
    /// <param name="pipeline">The models.</param>
    public static TextTable Table(this StableDiffusion3Pipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        var parts = pipeline.Parts;
        double all = parts.Sum(part => part.Parameters);
        PipelinePart total = new("all", string.Empty, parts.Sum(part => part.Parameters), parts.Sum(part => part.Bytes));
        return TextTable.Of(
            parts.Append(total),
            ("Model", part => part.Name),
            ("Class", part => part.ClassName),
            ("Parameters", part => part.Parameters.ToString("N0", CultureInfo.InvariantCulture)),
            ("Part", part => string.Create(CultureInfo.InvariantCulture, $"{100 * part.Parameters / all:0.0} %")),
            ("In memory", part => ByteSize.Text(part.Bytes)));
    }

    private static string Shorten(string text, string folder) =>
        folder.Length == 0 ? text : text.Replace(folder, ProjectFolder.Near(folder), StringComparison.Ordinal);
}
