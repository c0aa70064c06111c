using System.Text.Json;
using System.Text.Json.Serialization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Display;

/// <summary>
/// The page of a folder of generated pictures, <c>index.html</c> beside them: filters by what varies, rows and columns, side by side, blind
/// comparison, contact sheets. It shows what is in the folder when it is written, and needs nothing but the pictures and their
/// <c>thumbnails/</c>; it works from a disk.
/// </summary>
internal static class SweepPage
{
    /// <summary>Its name in the folder.</summary>
    public const string FileName = "index.html";

    // By which a page of this kind is known from a user's own.
    private const string Generator = "dreambooth-lab sweep page";
    private const int MostShared = 6;
    private const int HeadLength = 4096;

    // Of what all pictures share, what stands at the head, in this order.
    private static readonly string[] Heads =
        ["model", "lora", "lora_scale", "prompt", "steps", "guidance", "sampler", "image_sha256", "strength", "seed", "negative_prompt"];

    private static readonly ViewAsset[] Assets =
        [ViewAsset.Sweep, ViewAsset.SweepGrid, ViewAsset.SweepDialogs, ViewAsset.SweepBlind, ViewAsset.SweepSheet];

    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>Writes the page and the thumbnails that are missing; nothing where the folder has no generated picture.</summary>
    /// <param name="folder">The folder of a <c>generate</c> or a sweep.</param>
    /// <param name="title">The page's title; null for the prompt, or the model, where all pictures share it.</param>
    /// <param name="warn">Told in a sentence why there is no page, where it cannot be written.</param>
    /// <returns>The page's file; null where there is none.</returns>
    public static string? Write(string folder, string? title = null, Action<string>? warn = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var path = Path.Combine(folder, FileName);
        try
        {
            if (File.Exists(path) && !IsOwn(path))
            {
                warn?.Invoke($"{path} is not a page of pictures that was written here; it stays, and these pictures have no page.");
                return null;
            }

            var pictures = SweepPagePicture.Read(folder);
            if (pictures.Count == 0)
            {
                // Its pictures were deleted.
                File.Delete(path);
                return null;
            }

            SweepThumbnails.Update(folder, pictures);
            AtomicFile.WriteAllText(path, ToHtml(title, pictures));
            return path;
        }
        catch (Exception error) when (Cause(error) is IOException or UnauthorizedAccessException or LabException)
        {
            warn?.Invoke($"The pictures' page {path} could not be written: {Cause(error).Message}");
            return null;
        }
    }

    // What is done in parallel fails with all its errors in one.
    private static Exception Cause(Exception error) => error is AggregateException all ? all.GetBaseException() : error;

    /// <summary>The whole page.</summary>
    /// <param name="title">Its title; null for one from what all pictures share.</param>
    /// <param name="pictures">At least one.</param>
    internal static string ToHtml(string? title, IReadOnlyList<SweepPagePicture> pictures)
    {
        var fields = SweepPageField.Of(pictures);
        var shared = fields.Where(field => field.Values.Count == 1).ToList();
        var varying = fields.Where(field => field.Values.Count > 1).ToList();
        title ??= TitleOf(shared);
        return HtmlPage.Write(title, writer =>
        {
            foreach (var asset in Assets)
                writer.Use(asset);
            writer.Open("header").Element("h1", title);
            writer.Element("p", Lead(pictures.Count, varying), ("class", "lab-lead"));
            new FactList([.. Heads.Select(key => shared.Find(field => field.Key == key)).OfType<SweepPageField>().Take(MostShared)
                .Select(field => (field.Label, ShownText.Line(field.Values[0], 60)))]).Write(writer);
            writer.Close();
            writer.Open("div", ("id", "sweep")).Open("noscript");
            writer.Element("p", "This page shows its pictures by JavaScript. They lie in the folders beside it.").Close().Close();
            writer.Data("sweep-data", JsonSerializer.Serialize(Data(title, pictures, varying, shared), Options));
        }, Generator);
    }

    private static object Data(
        string title, IReadOnlyList<SweepPagePicture> pictures, List<SweepPageField> varying, List<SweepPageField> shared)
    {
        string[] scores = [.. pictures.SelectMany(picture => picture.Scores.Keys).Distinct(StringComparer.Ordinal)];
        return new
        {
            Title = title,
            Fields = varying.Select(field => new { field.Label, field.IsAxis, field.Values }),
            Shared = shared.Select(field => new[] { field.Label, field.Values[0] }),
            Scores = scores,
            Pictures = pictures.Select((picture, place) => new
            {
                picture.Path,
                picture.Thumbnail,
                picture.Width,
                picture.Height,
                Values = varying.Select(field => field.Places[place]),
                Scores = scores.Length == 0 ? null : scores.Select(
                    score => picture.Scores.TryGetValue(score, out var value) && double.IsFinite(value) ? value : (double?)null),
            }),
        };
    }

    private static string TitleOf(List<SweepPageField> shared)
    {
        string? Of(string key) => shared.Find(field => field.Key == key)?.Values[0];
        var model = Of("lora") is { } lora && Of("model") is { } own ? $"{lora} on {own}" : Of("model");
        return ShownText.Line(Of("prompt") ?? model ?? "Generated pictures", 80);
    }

    private static string Lead(int count, List<SweepPageField> varying)
    {
        var axes = varying.Where(field => field.IsAxis).Select(field => $"{field.Label} ({field.Values.Count})").ToList();
        return (count == 1 ? "One picture" : $"{count} pictures") + (axes.Count == 0 ? "." : $": {string.Join(" × ", axes)}.");
    }

    private static bool IsOwn(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var head = new char[HeadLength];
        return new string(head, 0, reader.ReadBlock(head)).Contains(Generator, StringComparison.Ordinal);
    }
}
