using System.Globalization;
using Dreambooth.Lab.Data;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Planning;

namespace Dreambooth.Lab.Display;

/// <summary>Views of photos and of the checks before a training.</summary>
public static class PhotoViews
{
    /// <summary>Every photo as training sees it: what the crop leaves out is dimmed; remarks stand below.</summary>
    /// <param name="review">The photos.</param>
    /// <param name="columns">Photos in a row.</param>
    public static ImageGrid Grid(this PhotoReview review, int columns = 8)
    {
        ArgumentNullException.ThrowIfNull(review);
        return ImageGrid.Of(
            review.Photos.Select(
                photo => GridCell.Of(
                    review.CropPreview(photo), photo.Remarks.Count == 0 ? "good" : string.Join("; ", photo.Remarks), Describe(photo))),
                    columns) with
        { CellSize = 118 };
    }

    /// <summary>The figures of the least sharp photos.</summary>
    /// <param name="review">The photos.</param>
    /// <param name="most">Rows, 1 or more.</param>
    public static TextTable Table(this PhotoReview review, int most = 8)
    {
        ArgumentNullException.ThrowIfNull(review);
        return TextTable.Of(
            review.Photos.OrderBy(photo => photo.Sharpness).Take(most),
            ("Photo", photo => photo.Name), ("Size", photo => $"{photo.File.Width} × {photo.File.Height}"),
            ("Kept by the crop", photo => Text(100 * photo.Kept, "0") + " %"),
            ("Sharpness", photo => Text(photo.Sharpness, "0")),
            ("Remarks", photo => photo.Remarks.Count == 0 ? "good" : string.Join("; ", photo.Remarks))) with
        {
            Note = $"The {Math.Min(most, review.Photos.Count)} least sharp of {review.Photos.Count} photos; "
                + $"{review.Good.Count} of them all are good, {review.Alike.Count} pairs look alike."
        };
    }

    /// <summary>Photos that look alike, side by side.</summary>
    /// <param name="review">The photos.</param>
    public static HtmlView Pairs(this PhotoReview review)
    {
        ArgumentNullException.ThrowIfNull(review);
        if (review.Alike.Count == 0)
            return new FactList([("photos that look alike", "none")]);
        return ImageGrid.Of(
            review.Alike.SelectMany(pair => new[]
            {
                GridCell.Of(review.CropPreview(pair.First), pair.First.Name),
                GridCell.Of(review.CropPreview(pair.Second), $"{pair.Second.Name}: {pair.Distance} of 64 bits differ"),
            }), 6) with
        { CellSize = 130 };
    }

    /// <summary>The checks before a training.</summary>
    /// <param name="checks">What was found.</param>
    public static TextTable Table(this IReadOnlyList<PreflightCheck> checks) => TextTable.Of(
        checks, ("Check", check => check.Subject), (string.Empty, check => Mark(check.Status)), ("Found", check => check.Message)) with
    { Note = Preflight.CanStart(checks) ? "The training can start." : "The training cannot start like this." };

    /// <summary>Pictures in a row, each under its prompt.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="prompts">As many prompts.</param>
    public static ImageGrid Row(this IReadOnlyList<RgbImage> pictures, IReadOnlyList<string> prompts)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        return ImageGrid.Of(
            pictures.Zip(prompts, (picture, prompt) => GridCell.Of(picture, prompt)), Math.Max(1, pictures.Count)) with
        { CellSize = 170 };
    }

    /// <summary>
    /// The same noise with each of several adapters alone at scale 1, and how each picture differs from the first; the adapters' weights
    /// are restored.
    /// </summary>
    /// <param name="pipeline">The models, with the adapters loaded.</param>
    /// <param name="request">What to generate; its first picture is taken.</param>
    /// <param name="adapters">Heading and index of each adapter.</param>
    public static ImageGrid CompareAdapters(
        this StableDiffusion3Pipeline pipeline, GenerationRequest request, params (string Name, int Index)[] adapters)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(adapters);
        double[] weights = [.. pipeline.Adapters.Select(adapter => adapter.Weight)];
        RgbImage With(int index)
        {
            for (var i = 0; i < weights.Length; i++)
                pipeline.Adapters[i].Weight = i == index ? 1 : 0;
            return pipeline.Generate(request)[0];
        }

        RgbImage[] pictures = [.. adapters.Select(adapter => With(adapter.Index))];
        for (var i = 0; i < weights.Length; i++)
            pipeline.Adapters[i].Weight = weights[i];
        return ImageGrid.Of(
            pictures.Select(
                (picture, i) => GridCell.Of(picture, $"{adapters[i].Name}; mean difference "
                    + $"{Text(PictureDifference.Between(pictures[0], picture).Mean, "0.00")} of 255")), pictures.Length) with
        { CellSize = 190 };
    }

    private static string Mark(PreflightStatus status) => status switch
    {
        PreflightStatus.Ok => "ok",
        PreflightStatus.Warning => "mind",
        _ => "STOP",
    };

    private static string Describe(Photo photo) =>
        $"{photo.Name}, {photo.File.Width} × {photo.File.Height}, sharpness {Text(photo.Sharpness, "0")}, the crop keeps "
        + $"{Text(100 * photo.Kept, "0")} %";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
