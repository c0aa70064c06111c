using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Painting;
using Dreambooth.Lab.Miniature.World.Renditions;
using Dreambooth.Lab.Miniature.World.Scenes;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>
/// Paints pictures. The same spec gives the same bytes on every run on one platform; several threads may render at once.
/// </summary>
internal static class WorldRenderer
{
    /// <summary>The side of a picture that the miniature model is trained on, in pixels.</summary>
    public const int DefaultSize = 128;

    /// <summary>Paints a picture.</summary>
    /// <param name="spec">What to paint.</param>
    /// <param name="size">Width and height in pixels, 32 to 1024.</param>
    /// <exception cref="LabException">The size is out of range, or the spec asks for something that cannot be painted.</exception>
    public static RgbImage Render(WorldSpec spec, int size = DefaultSize) => Render(spec, marks: null, size);

    /// <summary>Paints a picture of the character: the spec's kind, colour and pattern are those of the character.</summary>
    /// <param name="character">Who is painted.</param>
    /// <param name="spec">Pose, place, what is worn, art and change.</param>
    /// <param name="size">Width and height in pixels, 32 to 1024.</param>
    /// <exception cref="LabException">The size is out of range, or the spec asks for something that cannot be painted.</exception>
    public static RgbImage RenderCharacter(Character character, WorldSpec spec, int size = DefaultSize)
    {
        ArgumentNullException.ThrowIfNull(character);
        ArgumentNullException.ThrowIfNull(spec);
        return Render(
            spec with { Kind = character.Kind, Colour = character.NearestColour, Pattern = CoatPattern.Solid }, character.Marks, size);
    }

    private static RgbImage Render(WorldSpec spec, CharacterMarks? marks, int size)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (size is < 32 or > 1024)
            throw new LabException($"A picture of {size} pixels was asked for; 32 to 1024 pixels can be painted.");
        if (!SubjectTraits.Poses(spec.Kind).Contains(spec.Pose))
            throw new LabException(
                $"A {spec.Kind} cannot be painted {spec.Pose}; it can be {string.Join(" or ", SubjectTraits.Poses(spec.Kind))}.");
        var composition = Compose(spec, marks, size);
        RenditionFilter.Of(spec.Rendition)?.Apply(composition, new SeededRandom(spec.DetailSeed, 4));
        return new RgbImage(size, size, WithoutAlpha(composition.Rgba));
    }

    private static Composition Compose(WorldSpec spec, CharacterMarks? marks, int size)
    {
        var scene = Scene.Of(spec.Scene);
        var info = new SKImageInfo(size, size, SKColorType.Rgba8888, SKAlphaType.Premul);
        using var ground = SKSurface.Create(info);
        using var figure = SKSurface.Create(info);
        using var groundPainter = new Painter(ground.Canvas);
        using var figurePainter = new Painter(figure.Canvas);
        ground.Canvas.Scale(size / 128f);
        figure.Canvas.Scale(size / 128f);
        using var subject = new SubjectPainter(spec, scene.Setting, marks);
        var view = SceneView.Of(scene, spec.DetailSeed);
        view.PaintBack(groundPainter);
        subject.PaintShadow(groundPainter);
        subject.Paint(figurePainter, size);
        if (spec.Property == PropertyChange.XRay)
        {
            view.PaintFront(groundPainter);
            XRayFilm.Expose(ground);
            DrawFigure(ground.Canvas, figure, subject.Rim);
        }
        else
        {
            DrawFigure(ground.Canvas, figure, rim: null);
            view.PaintFront(groundPainter);
        }

        using var groundPixels = ground.PeekPixels();
        using var figurePixels = figure.PeekPixels();
        return new Composition(
            size, groundPixels.GetPixelSpan<byte>().ToArray(), Mask(figurePixels.GetPixelSpan<byte>(), size, subject.Rim));
    }

    private static void DrawFigure(SKCanvas canvas, SKSurface figure, float? rim)
    {
        canvas.Save();
        if (rim is { } y)
            canvas.ClipRect(new SKRect(0, 0, 128, y));
        canvas.ResetMatrix();
        canvas.DrawSurface(figure, 0, 0);
        canvas.Restore();
    }

    private static byte[] Mask(ReadOnlySpan<byte> figure, int size, float? rim)
    {
        var mask = new byte[size * size];
        var rows = rim is { } y ? (int)(y * size / 128) : size;
        for (var i = 0; i < rows * size; i++)
            mask[i] = figure[(4 * i) + 3] > 110 ? (byte)255 : (byte)0;
        return mask;
    }

    private static byte[] WithoutAlpha(ReadOnlySpan<byte> rgba)
    {
        var rgb = new byte[rgba.Length / 4 * 3];
        for (int i = 0, j = 0; j < rgb.Length; i += 4, j += 3)
        {
            rgb[j] = rgba[i];
            rgb[j + 1] = rgba[i + 1];
            rgb[j + 2] = rgba[i + 2];
        }

        return rgb;
    }
}
