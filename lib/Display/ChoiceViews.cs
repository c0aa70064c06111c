using System.Globalization;
using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>What follows from a choice between LoRA: the one to keep, its nearest training pictures, blind pairs with a rival.</summary>
public static class ChoiceViews
{
    /// <summary>The LoRA and scale to keep: the suggested one; where nothing was scored the last LoRA at the scale nearest to 1.</summary>
    /// <param name="choice">The evaluations.</param>
    /// <exception cref="LabException">There is no LoRA among them.</exception>
    public static SubjectEvaluation Kept(this EvaluationChoice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        return choice.Suggested ?? choice.AsTrained().FirstOrDefault()
            ?? throw new LabException("There is no LoRA among the evaluations: give the sweep one.");
    }

    /// <summary>
    /// The candidate to compare a kept one with: the end of the training, as near to scale 1 as was generated; the next best where that is
    /// kept.
    /// </summary>
    /// <param name="choice">The evaluations.</param>
    /// <param name="kept">One of them.</param>
    /// <exception cref="LabException">There is no other LoRA or scale.</exception>
    public static SubjectEvaluation Rival(this EvaluationChoice choice, SubjectEvaluation kept)
    {
        ArgumentNullException.ThrowIfNull(choice);
        return choice.AsTrained().FirstOrDefault(other => other != kept)
            ?? throw new LabException("There is no other LoRA or scale to compare with: give the sweep more stages or scales.");
    }

    /// <summary>
    /// Pictures of one LoRA over the training pictures that resemble them most, with what the model generated without it from the same
    /// noise: where that is as like a training picture, nothing was copied.
    /// </summary>
    /// <param name="choice">The evaluations, with that of the base model.</param>
    /// <param name="kept">One of them.</param>
    /// <param name="nearest">The training pictures.</param>
    /// <param name="most">Pictures at most.</param>
    public static ImageGrid Neighbours(this EvaluationChoice choice, SubjectEvaluation kept, NearestPictures nearest, int most = 6)
    {
        ArgumentNullException.ThrowIfNull(choice);
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(nearest);
        var before = choice.Evaluations.Where(evaluation => evaluation.IsBase).SelectMany(evaluation => evaluation.Pictures)
            .ToDictionary(Place);
        (string Path, double Likeness) Near(PictureScores picture) => nearest.Of(ImageDecoder.Load(picture.Path));
        static GridCell Drawn(PictureScores picture, double likeness) =>
            GridCell.FromFile(picture.Path, Likeness(likeness), picture.Prompt ?? string.Empty);
        (PictureScores Picture, (string Path, double Likeness) Nearest)[] own =
            [.. kept.Pictures.Take(most).Select(picture => (picture, Near(picture)))];
        return new ImageGrid
        {
            Title = $"Likeness to the nearest training picture (these among themselves: {Likeness(nearest.AmongThemselves)})",
            Rows =
            [
                [.. own.Select(entry => before.TryGetValue(Place(entry.Picture), out var bare) ? Drawn(bare, Near(bare).Likeness) : null)],
                [.. own.Select(entry => Drawn(entry.Picture, entry.Nearest.Likeness))],
                [.. own.Select(entry => GridCell.FromFile(entry.Nearest.Path, details: Path.GetFileName(entry.Nearest.Path)))],
            ],
            RowHeadings = ["without LoRA", kept.Name, "its nearest training picture"],
            CellSize = 110,
        };
    }

    /// <summary>Pairs to choose between blind: pictures of two LoRA from the same prompt and noise.</summary>
    /// <param name="first">The one.</param>
    /// <param name="second">The other.</param>
    /// <param name="seed">Decides the order.</param>
    /// <exception cref="LabException">No prompt and noise were used with both.</exception>
    public static ComparisonRating Blind(this SubjectEvaluation first, SubjectEvaluation second, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var pairs = first.Pictures.Join(second.Pictures, Place, Place, (a, b) => new ComparisonPair(
            GridCell.FromFile(a.Path), GridCell.FromFile(b.Path), $"Which shows “{ShownText.Line(a.Prompt ?? string.Empty)}” better?"))
            .ToList();
        return pairs.Count == 0
            ? throw new LabException($"{first.Name} and {second.Name} have no picture of one prompt and seed in common.")
            : new ComparisonRating
            {
                Pairs = pairs,
                FirstName = first.Name,
                SecondName = second.Name,
                Seed = seed,
                CellSize = 220,
            };
    }

    /// <summary>
    /// How to generate pictures with a LoRA on the command line; paths and prompt are quoted as a POSIX shell reads them.
    /// </summary>
    /// <param name="kept">The LoRA and its scale.</param>
    /// <param name="model">The model's folder, or its name on the hub.</param>
    /// <param name="prompt">What to generate.</param>
    /// <param name="guidance">The guidance that it was judged at; null for what <c>generate</c> takes by itself.</param>
    /// <param name="steps">The denoising steps, the same.</param>
    /// <param name="height">The pictures' height in pixels; null for the model's own.</param>
    /// <param name="width">Their width in pixels, the same.</param>
    public static string CommandLine(
        this SubjectEvaluation kept, string model, string prompt, double? guidance = null, int? steps = null, int? height = null,
        int? width = null)
    {
        ArgumentNullException.ThrowIfNull(kept);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(prompt);
        static string Given(string flag, IFormattable? value) =>
            value is null ? string.Empty : $" --{flag} {value.ToString(null, CultureInfo.InvariantCulture)}";
        var scale = (kept.Scale ?? 1).ToString("0.##", CultureInfo.InvariantCulture);
        var lora = kept.Lora is { } file ? $" \\\n    --lora {ShellText.Path(file)} --lora_scale {scale}" : string.Empty;
        return $"dotnet run -- generate --model {(Path.IsPathRooted(model) ? ShellText.Path(model) : ShellText.Word(model))}{lora} "
            + $"\\\n    --prompt {ShellText.Quoted(prompt)}{Given("guidance", guidance)}{Given("num_steps", steps)}"
            + Given("height", height) + Given("width", width);
    }

    private static (string? Prompt, ulong? Seed, int Index) Place(PictureScores picture) => (picture.Prompt, picture.Seed, picture.Index);

    private static string Likeness(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
