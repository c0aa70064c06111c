using Dreambooth.Lab.Miniature.World.Painting;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World.Figures;

/// <summary>Builds a four-legged animal: trunk, legs and tail in one of the three poses, then the head.</summary>
internal sealed class AnimalBody
{
    private readonly Figure _figure;
    private readonly SubjectKind _kind;
    private readonly AnimalShape _shape;
    private readonly SeededRandom _random;
    private readonly CharacterMarks? _marks;
    private readonly AnimalHead _head;
    private readonly SKColor _iris;
    private readonly float _tilt;
    private readonly float _turn;

    private AnimalBody(Figure figure, FigureRequest request, SeededRandom random)
    {
        _figure = figure;
        _kind = request.Kind;
        _shape = AnimalShape.Of(_kind);
        _random = random;
        _marks = request.Marks;
        var ears = request.EnormousEars ? EarStyle.Enormous : _shape.Ears;
        _head = new AnimalHead(_figure, _kind, ears, request);
        _tilt = random.Range(-7, 7);
        _turn = random.Range(1.5f, 4.5f);
        _iris = random.Pick(IrisColours);
    }

    private static readonly SKColor[] IrisColours = [Tint.Hex(0x8CC152), Tint.Hex(0xB5A642), Tint.Hex(0x6FA8A0), Tint.Hex(0x9C6B3C)];

    /// <summary>The figure of an animal.</summary>
    public static Figure Build(FigureRequest request, SeededRandom random)
    {
        var figure = new Figure();
        var body = new AnimalBody(figure, request, random);
        switch (request.Pose)
        {
            case SubjectPose.Sitting:
                body.Sit();
                break;
            case SubjectPose.Standing:
                body.Stand();
                break;
            default:
                body.Lie();
                break;
        }

        return figure;
    }

    private void Add(SKPath path, PartRole role, FigureLayer layer = FigureLayer.Body, float tone = 0, bool flat = false) =>
        _figure.Add(path, role, layer, tone, flat);

    private void Sit()
    {
        var g = _shape.Girth;
        AddTail(19 * g, -9, upright: true);
        _figure.NewGroup();
        Add(
            Outline.Blob(
                0, -58, 13 * g, -53, 18 * g, -38, 25 * g, -20, 27 * g, -7, 17 * g, 0, 0, 1, -17 * g, 0, -27 * g, -7, -25 * g, -20, -18 * g,
                -38, -13 * g, -53), PartRole.Coat);
        Add(
            Outline.Blob(0, -50, 9 * g, -44, 11 * g, -30, 8 * g, -14, 0, -9, -8 * g, -14, -11 * g, -30, -9 * g, -44), PartRole.Pale,
            flat: true);
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            _figure.NewGroup();
            Add(Outline.Ellipse(side * 20 * g, -10, 9.5f, 10.5f), PartRole.Coat, tone: -0.08f);
            Add(Outline.Ellipse(side * 20 * g, -3, 8, 4), PartRole.Coat, tone: 0.05f);
            if (_marks is not null)
                _figure.AddMark(Outline.Ellipse(side * 21 * g, -3, 7.6f, 4.2f), _marks.Mask, FigureLayer.Body);
            _figure.NewGroup();
            var l = _shape.Leg;
            Add(Outline.Tube([side * 8 * g, -36, side * 7.5f * g, -20, side * 7.2f * g, -4], [l * 0.9f, l, l * 0.85f]), PartRole.Coat);
            AddPaw(side * 7.6f * g, -3.2f, l * 1.22f);
            AddSock(side * 7.3f * g, -9, l);
        }

        AddTrunkBones([(0, -54), (0, -36), (0, -14)], 11 * g, upright: true);
        foreach (var side in (ReadOnlySpan<float>)[-1, 1])
        {
            _figure.Bones.Add(new Bone(side * 8 * g, -40, side * 7.5f * g, -21, 3));
            _figure.Bones.Add(new Bone(side * 7.5f * g, -21, side * 7.5f * g, -4, 3));
            _figure.Bones.Add(new Bone(side * 6, -14, side * 20 * g, -16, 3.4f));
            _figure.Bones.Add(new Bone(side * 20 * g, -16, side * 19 * g, -3, 3));
        }

        _figure.Neck = new Anchor(-0.5f, -51, 14.5f * g);
        _figure.Shoulders = new Anchor(0, -44, 14 * g);
        _head.Build(-1, -68, 1, _tilt, _turn, _iris);
    }

    private void Stand()
    {
        var g = _shape.Girth;
        var leg = _shape.LegLength;
        var l = _shape.Leg;
        var top = -leg - (25 * g);
        AddTail(29, top + 8, upright: true);
        _figure.NewGroup();
        AddLeg(-13, -leg - 4, l, far: true, hind: false);
        AddLeg(19, -leg - 4, l, far: true, hind: true);
        _figure.NewGroup();
        Add(
            Outline.Blob(
                -24, top + 1, -8, top + 1, 10, top, 25, top + 2, 33, top + 11, 31, -leg + 1, 20, -leg + 5, 0, -leg + 4, -20, -leg + 5, -29,
                -leg - 3, -31, top + 12), PartRole.Coat);
        Add(
            Outline.Blob(
                -28, -leg - 8, -18, -leg - 3, 0, -leg - 2.5f, 18, -leg - 2, 12, -leg + 4, 0, -leg + 4.5f, -20, -leg + 5, -28, -leg - 2),
                PartRole.Pale, flat: true);
        AddLeg(-22, -leg - 6, l, far: false, hind: false);
        AddLeg(27, -leg - 8, l, far: false, hind: true);
        AddTrunkBones([(-24, top + 8), (0, top + 6), (27, top + 9)], 11 * g, upright: false);
        _figure.Neck = new Anchor(-25, top + 5, 12 * g, 10);
        _figure.Shoulders = new Anchor(-10, top + 6, 10);
        _head.Build(-28, top - 9, 0.96f, _tilt, _turn + 1, _iris);
    }

    private void Lie()
    {
        var g = _shape.Girth;
        AddTail(38, -9, upright: false);
        _figure.NewGroup();
        Add(Outline.Tube([-8, -6, -30, -4.5f], [6, 5]), PartRole.Coat, tone: -0.2f);
        _figure.NewGroup();
        Add(
            Outline.Blob(-26, -26 * g, -12, -32 * g, 8, -33 * g, 28, -30 * g, 40, -20 * g, 42, -7, 34, 0, 0, 1, -22, 0, -29, -8),
            PartRole.Coat);
        Add(Outline.Blob(-27, -22, -20, -16, -14, -6, -10, 0, -22, 0, -28, -6), PartRole.Pale, flat: true);
        _figure.NewGroup();
        Add(Outline.Ellipse(27, -13 * g, 14, 12.5f * g), PartRole.Coat, tone: 0.04f);
        Add(Outline.Ellipse(17, -3, 9.5f, 4), PartRole.Coat, tone: 0.04f);
        if (_marks is not null)
            _figure.AddMark(Outline.Ellipse(14.5f, -3, 7, 4), _marks.Mask, FigureLayer.Body);
        _figure.NewGroup();
        Add(Outline.Tube([-12, -8, -22, -5, -36, -4], [7, 6, 5]), PartRole.Coat);
        AddPaw(-38, -3.6f, 6);
        if (_marks is not null)
            _figure.AddMark(Outline.Tube([-31, -4.4f, -41, -4], [5, 5]), _marks.Mask, FigureLayer.Body);
        AddTrunkBones([(-18, -26 * g), (6, -27 * g), (32, -20 * g)], 11 * g, upright: false);
        _figure.Bones.Add(new Bone(-16, -20, -14, -6, 3));
        _figure.Bones.Add(new Bone(-14, -6, -36, -4, 3));
        _figure.Bones.Add(new Bone(31, -18, 16, -14, 3));
        _figure.Bones.Add(new Bone(16, -14, 24, -3, 3));
        _figure.Neck = new Anchor(-20, (-29 * g) + 3, 13 * g, 8);
        _figure.Shoulders = new Anchor(0, -29 * g, 10);
        _head.Build(-23, (-29 * g) - 12, 0.96f, _tilt, _turn, _iris);
    }

    private void AddLeg(float x, float top, float l, bool far, bool hind)
    {
        if (!far)
            _figure.NewGroup();
        var tone = far ? -0.3f : 0f;
        var path = hind
            ? Outline.Tube([x - 2, top, x + 1, top * 0.55f, x + 2, top * 0.3f, x, -3], [l * 1.7f, l * 1.15f, l * 0.85f, l * 0.85f])
            : Outline.Tube([x + 1, top, x, top * 0.5f, x, -3], [l * 1.25f, l, l * 0.85f]);
        Add(path, PartRole.Coat, tone: tone);
        AddPaw(x - 1.5f, -3.2f, l * 1.15f, tone);
        AddSock(x, -9, l);
        if (far)
            return;
        _figure.Bones.Add(new Bone(x, top - 6, x + (hind ? 2 : 0), top * 0.45f, 3));
        _figure.Bones.Add(new Bone(x + (hind ? 2 : 0), top * 0.45f, x, -3, 3));
    }

    private void AddPaw(float x, float y, float r, float tone = 0)
    {
        Add(Outline.Ellipse(x, y, r, 3.9f), PartRole.Coat, tone: tone + 0.06f);
    }

    private void AddSock(float x, float top, float l)
    {
        if (_marks is not null)
            _figure.AddMark(Outline.Box(x - (l * 1.35f), top, x + (l * 1.25f), 0.4f, 4), _marks.Mask, FigureLayer.Body);
    }

    private void AddTail(float x, float y, bool upright)
    {
        _figure.NewGroup();
        var sway = _random.Range(-4, 4);
        switch (_shape.Tail)
        {
            case TailStyle.Long:
                AddLongTail(x, y, upright, sway);
                break;
            case TailStyle.Curled:
                Add(upright
                    ? Outline.Tube([x - 4, y + 2, x + 10, y - 6, x + 16 + sway, y - 20, x + 9 + sway, y - 28], [5, 5, 4, 2.2f])
                    : Outline.Tube([x - 6, y + 2, x + 8, y - 4, x + 16, y - 14 + sway], [5, 5, 2.4f]), PartRole.Coat, FigureLayer.Back);
                break;
            case TailStyle.Puff:
                Add(Outline.Ellipse(x + 5, y - 1, 8.5f, 8), PartRole.Pale, FigureLayer.Back, 0.35f);
                break;
            case TailStyle.Bushy:
                AddBushyTail(x, y, upright, sway);
                break;
            default:
                Add(Outline.Ellipse(x + 4, y + 1, 6, 5), PartRole.Coat, FigureLayer.Back);
                break;
        }
    }

    private void AddLongTail(float x, float y, bool upright, float sway)
    {
        ReadOnlySpan<float> way = upright
            ? [x - 4, y + 3, x + 8, y + 1, x + 16, y - 10, x + 15 + sway, y - 26, x + 20 + sway, y - 38]
            : [x - 6, y + 2, x + 8, y + 3, x + 15, y - 5, x + 12 + sway, y - 17];
        ReadOnlySpan<float> radii = upright ? [4.5f, 4.6f, 4.4f, 4.2f, 3.4f] : [4.5f, 4.6f, 4.2f, 3.2f];
        Add(Outline.Tube(way, radii), PartRole.Coat, FigureLayer.Back);
        _figure.Bones.Add(new Bone(way[0], way[1], way[4], way[5], 2));
        _figure.Bones.Add(new Bone(way[4], way[5], way[^2], way[^1], 2));
        if (_marks is null)
            return;
        for (var i = 2; i < way.Length - 2; i += 2)
        {
            var (x0, y0, x1, y1) = (way[i], way[i + 1], way[i + 2], way[i + 3]);
            for (var k = 0; k < 2; k++)
            {
                var (a, b) = ((k * 0.5f) + 0.08f, (k * 0.5f) + 0.33f);
                _figure.AddMark(
                    Outline.Polygon(Band(x0, y0, x1, y1, a, b, radii[i / 2])),
                    k == 0 ? _marks.Mask : _marks.Belly,
                    FigureLayer.Back);
            }
        }
    }

    // A short band across a tube from (x0, y0) to (x1, y1), between the fractions a and b of its length.
    private static float[] Band(float x0, float y0, float x1, float y1, float a, float b, float radius)
    {
        var (dx, dy) = (x1 - x0, y1 - y0);
        var length = MathF.Sqrt((dx * dx) + (dy * dy));
        var (nx, ny) = (-dy / length * radius, dx / length * radius);
        return
        [
            x0 + (dx * a) + nx, y0 + (dy * a) + ny, x0 + (dx * b) + nx, y0 + (dy * b) + ny,
            x0 + (dx * b) - nx, y0 + (dy * b) - ny, x0 + (dx * a) - nx, y0 + (dy * a) - ny,
        ];
    }

    private void AddBushyTail(float x, float y, bool upright, float sway)
    {
        if (upright)
        {
            Add(
                Outline.Tube([x - 6, y + 3, x + 8, y + 1, x + 19, y - 12, x + 21 + sway, y - 28, x + 15 + sway, y - 42], [4, 8, 11, 10, 3]),
                PartRole.Coat, FigureLayer.Back);
            Add(
                Outline.Blob(
                    x + 29 + sway, y - 33, x + 21 + sway, y - 30, x + 12 + sway, y - 34, x + 12 + sway, y - 42, x + 15.5f + sway, y - 45,
                    x + 23 + sway, y - 42), PartRole.Pale, FigureLayer.Back, 0.6f, flat: true);
        }
        else
        {
            Add(
                Outline.Tube([x - 8, y + 2, x + 8, y + 2, x + 18, y - 8, x + 17, y - 22 + sway], [5, 8, 9, 3]), PartRole.Coat,
                FigureLayer.Back);
            Add(
                Outline.Blob(
                    x + 25, y - 15 + sway, x + 18, y - 13 + sway, x + 11, y - 16 + sway, x + 14, y - 23 + sway, x + 17, y - 25 + sway,
                    x + 21, y - 23 + sway), PartRole.Pale, FigureLayer.Back, 0.6f, flat: true);
        }
    }

    private void AddTrunkBones(ReadOnlySpan<(float X, float Y)> spine, float rib, bool upright)
    {
        for (var i = 0; i + 1 < spine.Length; i++)
            _figure.Bones.Add(new Bone(spine[i].X, spine[i].Y, spine[i + 1].X, spine[i + 1].Y, 3.4f));
        for (var k = 0; k < 4; k++)
        {
            var t = 0.08f + (k * 0.28f);
            var x = spine[0].X + ((spine[1].X - spine[0].X) * t);
            var y = spine[0].Y + ((spine[1].Y - spine[0].Y) * t);
            if (upright)
                _figure.Bones.Add(new Bone(x - rib, y + 3, x + rib, y + 3, 2));
            else
                _figure.Bones.Add(new Bone(x + 1, y, x - 2, y + (rib * 1.5f), 2));
        }
    }
}
