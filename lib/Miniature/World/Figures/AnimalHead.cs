using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Builds the head of a four-legged animal, looking at the viewer and a little to the left.</summary>
/// <param name="figure">Receives the parts.</param>
/// <param name="kind">One of the five animals.</param>
/// <param name="ears">The ears, which a property change may replace.</param>
/// <param name="request">What is asked for: marks and mirroring.</param>
internal sealed class AnimalHead(Figure figure, SubjectKind kind, EarStyle ears, FigureRequest request)
{
    private readonly AnimalShape _shape = AnimalShape.Of(kind);
    private readonly CharacterMarks? _marks = request.Marks;
    private readonly float _side = request.Mirrored ? -1 : 1;
    private SKMatrix _place;
    private float _turn;

    /// <summary>Adds the head.</summary>
    /// <param name="cx">Its centre.</param>
    /// <param name="cy">Its centre, downwards.</param>
    /// <param name="scale">Its size; 1 is 48 wide.</param>
    /// <param name="degrees">How it tilts.</param>
    /// <param name="turn">How far the face turns left, in figure units.</param>
    /// <param name="iris">The colour of the eyes.</param>
    public void Build(float cx, float cy, float scale, float degrees, float turn, SKColor iris)
    {
        _place = SKMatrix.CreateTranslation(cx, cy).PreConcat(SKMatrix.CreateRotationDegrees(degrees))
            .PreConcat(SKMatrix.CreateScale(scale, scale));
        _turn = -turn;
        figure.NewGroup();
        if (ears != EarStyle.Hanging)
            AddEars();
        Add(Symmetric(_shape.Head), PartRole.Coat);
        AddFaceMarks();
        AddMuzzle();
        if (ears == EarStyle.Hanging)
            AddEars();
        AddEyes(iris, scale);
        var top = _place.MapPoint(_turn * 0.3f, _shape.Head[1] + 2);
        figure.Crown = new Anchor(top.X, top.Y, 15 * scale, degrees);
        figure.Masses.Add(new Anchor(cx, cy - 2, 17 * scale, degrees));
    }

    private void Add(SKPath path, PartRole role, float tone = 0, bool flat = false)
    {
        path.Transform(_place);
        figure.Add(path, role, FigureLayer.Head, tone, flat);
    }

    private void AddLine(SKPath path, float width)
    {
        path.Transform(_place);
        figure.AddLine(path, PartRole.Dark, FigureLayer.Head, width);
    }

    private void Mark(SKPath path, SKColor colour)
    {
        path.Transform(_place);
        figure.AddMark(path, colour, FigureLayer.Head);
    }

    // The ginger ear with a notch in its outer edge, always the one at the right of the picture.
    private void AddMarkedEar(CharacterMarks marks, float[] outer, float[] inner)
    {
        var side = SKMatrix.CreateScale(_side, 1);
        using var notch = Outline.Moved(Outline.Polygon(28, -29, 17, -23, 28, -17), side);
        SKPath Cut(float[] xy)
        {
            using var whole = Outline.Moved(Outline.Blob(xy), side);
            return whole.Op(notch, SKPathOp.Difference);
        }

        Add(Outline.Moved(Outline.Blob(outer), SKMatrix.CreateScale(-_side, 1)), PartRole.Coat);
        Add(Outline.Moved(Outline.Blob(inner), SKMatrix.CreateScale(-_side, 1)), PartRole.Inner, 0, flat: true);
        Add(Cut(outer), PartRole.Coat);
        Mark(Cut(outer), marks.Ear);
        Mark(Cut(inner), Tint.Mix(marks.Ear, Tint.Hex(0xF9C9B0), 0.6f));
    }

    // Both ears: the right one as given, the left one mirrored.
    private void AddPair(float[] xy, PartRole role, float tone = 0, bool flat = false)
    {
        Add(Outline.Blob(xy), role, tone, flat);
        Add(Outline.Moved(Outline.Blob(xy), SKMatrix.CreateScale(-1, 1)), role, tone, flat);
    }

    private void AddEars()
    {
        switch (ears)
        {
            case EarStyle.Pointed:
                AddPointedEars([4, -14, 11, -28, 20, -39, 24.5f, -25, 23, -5], [9, -16, 14, -25, 19, -32.5f, 21.5f, -23, 20.5f, -11]);
                break;
            case EarStyle.Large:
                AddPair([3, -13, 11, -32, 22, -46, 27, -28, 25, -4], PartRole.Coat);
                AddPair([8, -15, 14, -28, 20, -37, 23, -26, 22, -9], PartRole.Inner, -0.15f, flat: true);
                AddPair([16, -38.5f, 22, -46, 25, -36.5f, 21, -35], PartRole.Dark, 0, flat: true);
                break;
            case EarStyle.Hanging:
                AddPair([10, -20, 20, -21, 29, -9, 31, 9, 26, 17, 20, 10, 17, -6], PartRole.Coat, -0.28f);
                break;
            case EarStyle.Tall:
                AddPair([3, -14, 3, -36, 8, -55, 14, -57, 18, -40, 15, -12], PartRole.Coat);
                AddPair([7, -16, 7, -36, 10, -50, 13, -51, 14.5f, -38, 12, -14], PartRole.Inner, 0, flat: true);
                break;
            case EarStyle.Enormous:
                AddPair([2, -12, 3, -46, 12, -74, 21, -77, 25, -50, 17, -10], PartRole.Coat);
                AddPair([7, -16, 8.5f, -44, 14, -67, 19, -68, 20.5f, -48, 13.5f, -14], PartRole.Inner, 0, flat: true);
                if (_marks is not null)
                    Mark(
                        Outline.Moved(Outline.Blob(2, -12, 3, -46, 12, -74, 21, -77, 25, -50, 17, -10), SKMatrix.CreateScale(_side, 1)),
                        _marks.Ear);
                break;
            default:
                Add(Outline.Ellipse(18, -16, 9, 9), PartRole.Coat);
                Add(Outline.Ellipse(-18, -16, 9, 9), PartRole.Coat);
                Add(Outline.Ellipse(18, -16, 5.2f, 5.2f), PartRole.Inner, -0.1f, flat: true);
                Add(Outline.Ellipse(-18, -16, 5.2f, 5.2f), PartRole.Inner, -0.1f, flat: true);
                break;
        }
    }

    private void AddPointedEars(float[] outer, float[] inner)
    {
        if (_marks is not null)
        {
            AddMarkedEar(_marks, outer, inner);
            return;
        }

        AddPair(outer, PartRole.Coat);
        AddPair(inner, PartRole.Inner, 0, flat: true);
    }

    private void AddMuzzle()
    {
        var x = _turn;
        var y = _shape.MuzzleY;
        var m = _shape.Muzzle;
        switch (kind)
        {
            case SubjectKind.Fox:
                Add(
                    Outline.Blob(
                        x, 4, 5 + x, 9, 17 + (x * 0.5f), 5, 26 + (x * 0.2f), 7, 15, 13.5f, 6, 21, 0, 23.5f, -6, 21, -15, 13.5f,
                        -26 + (x * 0.2f), 7, -17 + (x * 0.5f), 5, -5 + x, 9), PartRole.Pale, 0.5f, flat: true);
                break;
            case SubjectKind.Dog:
                Add(Outline.Ellipse(x, y, m, m * 0.86f), PartRole.Pale);
                break;
            case SubjectKind.Bear:
                Add(Outline.Ellipse(x, y, m, m * 0.82f), PartRole.Pale);
                break;
            default:
                Add(Outline.Ellipse(x - (m * 0.5f), y, m * 0.62f, m * 0.56f), PartRole.Pale, 0, flat: true);
                Add(Outline.Ellipse(x + (m * 0.5f), y, m * 0.62f, m * 0.56f), PartRole.Pale, 0, flat: true);
                break;
        }

        AddMouth(x, y);
    }

    private void AddMouth(float x, float y)
    {
        var n = _shape.Nose;
        var noseY = kind switch
        {
            SubjectKind.Dog => y - 5.5f,
            SubjectKind.Bear => y - 4,
            SubjectKind.Fox => y + 3,
            _ => y - 4.2f,
        };
        if (kind == SubjectKind.Dog)
            Add(
                Outline.Blob(x - 3.2f, y + 4.5f, x + 3.2f, y + 4.5f, x + 2.6f, y + 11, x, y + 12.5f, x - 2.6f, y + 11), PartRole.Tongue, 0,
                flat: true);
        if (kind == SubjectKind.Rabbit)
            Add(Outline.Box(x - 2.2f, y + 2.5f, x + 2.2f, y + 7, 1), PartRole.Pale, 1, flat: true);
        var smile = kind == SubjectKind.Fox ? 3.2f : 4.2f;
        AddLine(
            Outline.Curve(
                x - smile, y + 1.6f + (kind == SubjectKind.Fox ? 3 : 0), x - (smile * 0.5f),
                y + 3.6f + (kind == SubjectKind.Fox ? 2.6f : 0), x, noseY + n + 0.6f, x + (smile * 0.5f),
                y + 3.6f + (kind == SubjectKind.Fox ? 2.6f : 0), x + smile, y + 1.6f + (kind == SubjectKind.Fox ? 3 : 0)), 1.1f);
        var nose = kind is SubjectKind.Cat or SubjectKind.Rabbit ? PartRole.Tongue : PartRole.Dark;
        Add(
            Outline.Blob(
                x - n, noseY - (n * 0.4f), x, noseY - (n * 0.75f), x + n, noseY - (n * 0.4f), x + (n * 0.5f), noseY + (n * 0.6f), x,
                noseY + (n * 0.9f), x - (n * 0.5f), noseY + (n * 0.6f)), nose, 0, flat: true);
        if (!_shape.Whiskers)
            return;
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            AddLine(Outline.Curve(x + (side * 8), y - 0.5f, x + (side * 17), y - 2.5f, x + (side * 25), y - 2), 0.7f);
            AddLine(Outline.Curve(x + (side * 8), y + 1.5f, x + (side * 17), y + 1.5f, x + (side * 24), y + 4), 0.7f);
        }
    }

    private void AddFaceMarks()
    {
        if (_marks is null)
            return;
        var x = _turn;
        Mark(
            Outline.Blob(
                0 + x, -6, 9 + x, -11, 19 + (x * 0.5f), -9, 24, 0, 20, 6, 9 + x, 6, 0 + x, 1, -9 + x, 6, -20, 6, -24, 0, -19 + (x * 0.5f),
                -9, -9 + x, -11), _marks.Mask);
        Mark(Outline.Blob(x, -19, 3.4f + x, -12, 2.6f + x, 0, 5 + x, 8, x, 12, -5 + x, 8, -2.6f + x, 0, -3.4f + x, -12), _marks.Blaze);
    }

    private void AddEyes(SKColor iris, float scale)
    {
        var slit = kind == SubjectKind.Cat;
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            var at = _place.MapPoint((side * _shape.EyeGap) + _turn, _shape.EyeY);
            var colour = _marks is null ? iris : side * _side < 0 ? _marks.LeftEye : _marks.RightEye;
            figure.Eyes.Add(new Eye(at.X, at.Y, _shape.Eye * scale, colour, slit));
        }
    }

    private static SKPath Symmetric(ReadOnlySpan<float> half)
    {
        var count = half.Length / 2;
        Span<float> whole = stackalloc float[(count * 4) - 4];
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            whole[at++] = half[2 * i];
            whole[at++] = half[(2 * i) + 1];
        }

        for (var i = count - 2; i > 0; i--)
        {
            whole[at++] = -half[2 * i];
            whole[at++] = half[(2 * i) + 1];
        }

        return Outline.Blob(whole);
    }
}
