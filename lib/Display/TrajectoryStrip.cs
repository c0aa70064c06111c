using System.Globalization;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Display;

/// <summary>The pictures of one denoising trajectory in order, each with its step and noise level.</summary>
internal sealed record TrajectoryStrip : HtmlView
{
    /// <summary>The pictures from noise to the end.</summary>
    public required IReadOnlyList<TrajectoryFrame> Frames { get; init; }

    /// <summary>A line over the strip; empty for none.</summary>
    public string Title { get; init; } = string.Empty;

    /// <summary>Pictures in a row, at least 1. Default 10.</summary>
    public int Columns { get; init; } = 10;

    /// <summary>The widest a picture gets, in CSS pixels, 32 … 1024. Default 104.</summary>
    public int CellSize { get; init; } = 104;

    /// <summary>How pictures are put into the HTML. Default smaller than elsewhere: noise is costly.</summary>
    public PictureEmbedding Embedding { get; init; } = new() { Scale = 1, Quality = 70 };

    /// <summary>The strip as one picture, on white.</summary>
    public RgbImage ToImage() => Grid().ToImage();

    /// <summary>A line for each picture: step, sigma, timestep.</summary>
    public override string ToText() => string.Join("\n", new[] { Title }.Where(line => line.Length > 0).Concat(Frames.Select(frame =>
        string.Join(" · ", new[] { Caption(frame), Details(frame) }.Where(part => part.Length > 0)))));

    /// <inheritdoc/>
    internal override void Write(HtmlWriter writer) => Grid().Write(writer);

    private ImageGrid Grid() => ImageGrid.Of(Frames.Select(frame => GridCell.Of(frame.Image, Caption(frame), Details(frame))), Math.Min(Columns, Math.Max(1, Frames.Count))) with
    {
        Title = Title,
        CellSize = CellSize,
        Embedding = Embedding,
    };

    private static string Caption(TrajectoryFrame frame) => string.Create(CultureInfo.InvariantCulture, $"{frame.Step} · σ {frame.Sigma:0.00}");

    private static string Details(TrajectoryFrame frame)
    {
        var timestep = frame.Timestep is { } t ? string.Create(CultureInfo.InvariantCulture, $"timestep {t:0.#}") : string.Empty;
        return string.Join(" · ", new[] { timestep, frame.Note }.Where(part => part.Length > 0));
    }
}
