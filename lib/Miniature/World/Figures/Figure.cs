using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>
/// A subject as shapes, facing left, in its own units: it stands on y = 0 and reaches up to about y = -100.
/// </summary>
internal sealed class Figure : IDisposable
{
    private int _group;

    /// <summary>The shapes in painting order within each layer.</summary>
    public List<FigurePart> Parts { get; } = [];

    /// <summary>Two eyes, or none for a thing without a face.</summary>
    public List<Eye> Eyes { get; } = [];

    /// <summary>What an x-ray shows.</summary>
    public List<Bone> Bones { get; } = [];

    /// <summary>Circles that an x-ray shows as solid: a skull, a motor.</summary>
    public List<Anchor> Masses { get; } = [];

    /// <summary>Where a scarf goes; null where there is no neck.</summary>
    public Anchor? Neck { get; set; }

    /// <summary>Where a hat goes.</summary>
    public Anchor Crown { get; set; }

    /// <summary>Where wings grow.</summary>
    public Anchor Shoulders { get; set; }

    /// <summary>The box round all parts.</summary>
    public SKRect Bounds
    {
        get
        {
            var box = Parts[0].Path.TightBounds;
            foreach (var part in Parts)
            {
                if (!part.Flat)
                    box.Union(part.Path.TightBounds);
            }

            return box;
        }
    }

    /// <summary>Starts a group: parts added next share one outline.</summary>
    public void NewGroup() => _group++;

    /// <summary>Adds a shape; the figure owns its path from now on.</summary>
    public void Add(SKPath path, PartRole role, FigureLayer layer, float tone = 0, bool flat = false) =>
        Parts.Add(new FigurePart(path, role, layer, _group) { Tone = tone, Flat = flat });

    /// <summary>Adds a line; the figure owns its path from now on.</summary>
    public void AddLine(SKPath path, PartRole role, FigureLayer layer, float width) =>
        Parts.Add(new FigurePart(path, role, layer, _group) { LineWidth = width, Flat = true });

    /// <summary>Adds a flat mark of its own colour; the figure owns its path from now on.</summary>
    public void AddMark(SKPath path, SKColor colour, FigureLayer layer) =>
        Parts.Add(new FigurePart(path, PartRole.Mark, layer, _group) { Flat = true, Own = colour });

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in Parts)
            part.Path.Dispose();
    }
}
