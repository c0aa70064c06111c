using Dreambooth.Lab.Miniature.World.Figures;
using Dreambooth.Lab.Miniature.World.Materials;
using Dreambooth.Lab.Miniature.World.Painting;
using Dreambooth.Lab.Miniature.World.Props;
using Dreambooth.Lab.Miniature.World.Scenes;
using SkiaSharp;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>Places and paints a picture's subject: figure, material, what it wears, and its cup or plinth.</summary>
internal sealed class SubjectPainter : IDisposable
{
    private readonly WorldSpec _spec;
    private readonly Setting _setting;
    private readonly CharacterMarks? _marks;
    private readonly Figure _figure;
    private readonly SKRect _box;
    private readonly bool _mirrored;
    private readonly float _scale;
    private readonly float _x;
    private readonly float _ground;
    private readonly float _foot;
    private readonly float _lightSide;
    private readonly ulong _coatSeed;

    /// <summary>Decides where and how large the subject is.</summary>
    public SubjectPainter(WorldSpec spec, Setting setting, CharacterMarks? marks)
    {
        _spec = spec;
        _setting = setting;
        _marks = marks;
        _mirrored = spec.Facing == SubjectFacing.Right;
        _coatSeed = spec.DetailSeed;
        var random = new SeededRandom(spec.DetailSeed, 2);
        _figure = FigureBuilder.Build(
            new FigureRequest
            {
                Kind = spec.Kind,
                Pose = spec.Pose,
                Mirrored = _mirrored,
                EnormousEars = spec.Property == PropertyChange.LongEars,
                Marks = marks,
            },
            random);
        _box = _figure.Bounds;
        _lightSide = random.Chance(0.7) ? -1 : 1;
        _scale = ChooseScale(random);
        var free = MathF.Max(0, 58 - (_box.Width * _scale * 0.5f));
        _x = 64 + Math.Clamp(random.Range(-9, 9), -free, free);
        _foot = setting.Ground + random.Range(-2, 2);
        _ground = ChooseGround();
    }

    private bool InTeacup => _spec.Property == PropertyChange.Teacup;

    private float CupRim => _foot - TeacupPainter.RimHeight;

    private float MiddleX => _x - ((_mirrored ? -1 : 1) * _box.MidX * _scale);

    /// <summary>The height below which the subject is hidden, or null.</summary>
    public float? Rim => _setting.Rim;

    /// <summary>Paints the soft shadow on the ground, in picture units.</summary>
    public void PaintShadow(Painter p)
    {
        if (_setting.Rim is not null)
            return;
        var half = InTeacup ? 44 : (_box.Width * _scale * 0.5f) + 3;
        var y = _spec.Property == PropertyChange.Statue || InTeacup ? _foot : _ground;
        p.Glow(_x - (_lightSide * 7), y - 0.5f, half * 1.18f, 8.5f, Tint.Fade(_setting.Shade, 0.5f));
        p.Glow(_x, y - 0.5f, half * 0.9f, 4.5f, Tint.Fade(_setting.Shade, 0.6f));
    }

    /// <summary>Paints the subject on an empty transparent canvas, in picture units.</summary>
    /// <param name="p">The painter.</param>
    /// <param name="size">The side of the picture in pixels.</param>
    public void Paint(Painter p, int size)
    {
        var canvas = p.Canvas;
        canvas.Save();
        if (InTeacup)
        {
            AtFoot(p, () => TeacupPainter.PaintBack(p, new SeededRandom(_spec.DetailSeed, 5)));
            canvas.ClipRect(new SKRect(0, 0, 128, CupRim + 4));
        }
        else if (_spec.Property == PropertyChange.Statue && _setting.Rim is null)
        {
            AtFoot(p, () => PlinthPainter.Paint(p, MathF.Min((_box.Width * _scale * 0.42f) + 3, 44)));
        }

        canvas.Save();
        canvas.Translate(MiddleX, _ground);
        canvas.Scale(_mirrored ? -_scale : _scale, _scale);
        PaintFigure(p, size);
        canvas.Restore();
        canvas.Restore();
        if (InTeacup)
            AtFoot(p, () => TeacupPainter.PaintFront(p, new SeededRandom(_spec.DetailSeed, 5)));
        PaintSceneLight(p);
    }

    /// <inheritdoc/>
    public void Dispose() => _figure.Dispose();

    private void AtFoot(Painter p, Action paint)
    {
        p.Canvas.Save();
        p.Canvas.Translate(_x, _foot);
        paint();
        p.Canvas.Restore();
    }

    private float ChooseScale(SeededRandom random)
    {
        var height = _spec.Pose switch
        {
            SubjectPose.Lying => random.Range(62, 70),
            SubjectPose.Standing => random.Range(73, 83),
            _ => random.Range(76, 87),
        };
        var width = _setting.Rim is null ? 92f : 80;
        height *= _setting.Scale;
        if (_spec.Kind == SubjectKind.Rabbit)
            height *= 1.12f;
        if (_spec.Property == PropertyChange.LongEars)
            height *= 1.2f;
        if (_spec.Property == PropertyChange.Statue)
            height *= 0.9f;
        if (InTeacup)
            (height, width) = (height * 0.84f, 60);
        return MathF.Min(height / _box.Height, width / _box.Width);
    }

    private float ChooseGround()
    {
        var height = _box.Height * _scale;
        if (InTeacup)
            return CupRim + (height * 0.25f);
        if (_setting.Rim is { } rim)
            return MathF.Min(_foot, rim + (height * (_spec.Pose == SubjectPose.Sitting ? 0.34f : 0.24f)));
        return _spec.Property == PropertyChange.Statue ? _foot - PlinthPainter.Height : _foot;
    }

    private void PaintFigure(Painter p, int size)
    {
        var random = new SeededRandom(_coatSeed, 3);
        var colours = Colours(random);
        var light = new Light(_mirrored ? -_lightSide : _lightSide, _setting.Bright, _setting.Shade, _setting.Ambient);
        using var texture = Texture(colours, p.Canvas.TotalMatrix, size, random);
        var material = Choose(colours, texture, light);
        var wear = new AccessoryPainter(p, _figure, AccessoryPainter.ClothFor(colours.Base, random));
        if (_spec.Property == PropertyChange.Wings)
            WingPainter.Paint(p, _figure.Shoulders, random);
        material.Paint(p, _figure, FigureLayer.Back);
        material.Paint(p, _figure, FigureLayer.Body);
        if (_spec.Property == PropertyChange.Cyborg)
            CyborgMaterial.PlateBody(p, _figure);
        wear.PaintNeck(_spec.Accessory);
        material.Paint(p, _figure, FigureLayer.Head);
        material.PaintEyes(p, _figure);
        wear.PaintHead(_spec.Accessory);
        material.Finish(p, _figure);
    }

    private CoatColours Colours(SeededRandom random) => _marks is null
        ? CoatColours.Of(_spec.Colour, _spec.Pattern, random)
        : new CoatColours(_marks.Coat, _marks.Belly, _marks.Mask, Tint.Darker(_marks.Coat, 0.62f));

    private CoatTexture? Texture(CoatColours colours, SKMatrix matrix, int size, SeededRandom random) => _spec.Property switch
    {
        PropertyChange.Statue => StatueMaterial.Veins(_figure, size, matrix, random),
        PropertyChange.Gold or PropertyChange.XRay or PropertyChange.Glass or PropertyChange.Origami => null,
        _ when _spec.Pattern == CoatPattern.Solid => null,
        _ => CoatTexture.Of(_spec.Pattern, _spec.Kind, _spec.Pose, _figure, colours, size, matrix, random),
    };

    private Material Choose(CoatColours colours, CoatTexture? texture, Light light) => _spec.Property switch
    {
        PropertyChange.Origami => new OrigamiMaterial(colours, light),
        PropertyChange.Plush => new PlushMaterial(colours, texture, light),
        PropertyChange.Cyborg => new CyborgMaterial(colours, texture, light),
        PropertyChange.Statue => new StatueMaterial(texture!, light),
        PropertyChange.XRay => new XRayMaterial(light),
        PropertyChange.Glass => new GlassMaterial(colours, light),
        PropertyChange.Gold => new GoldMaterial(light),
        _ => new Material(colours, texture, light),
    };

    // Light of the scene over the whole subject: darker away from the light, tinted by the surroundings, dark towards a rim.
    private void PaintSceneLight(Painter p)
    {
        if (_spec.Property is PropertyChange.XRay)
            return;
        var half = _box.Width * _scale * 0.5f;
        using var paint = new SKPaint { BlendMode = SKBlendMode.SrcATop };
        using var side = SKShader.CreateLinearGradient(
            new SKPoint(_x + (_lightSide * half), 40),
            new SKPoint(_x - (_lightSide * half), 60),
            [Tint.Fade(_setting.Bright, 0.1f), Tint.Fade(_setting.Shade, 0), Tint.Fade(_setting.Shade, 0.2f)],
            [0, 0.4f, 1],
            SKShaderTileMode.Clamp);
        paint.Shader = side;
        p.Canvas.DrawRect(0, 0, 128, 128, paint);
        if (_setting.Ambient.Alpha > 0)
        {
            paint.Shader = null;
            paint.Color = _setting.Ambient;
            p.Canvas.DrawRect(0, 0, 128, 128, paint);
        }

        if (_setting.Rim is not { } rim)
            return;
        using var fall = SKShader.CreateLinearGradient(
            new SKPoint(0, rim - 16), new SKPoint(0, rim), [Tint.Fade(SKColors.Black, 0), Tint.Fade(SKColors.Black, 0.42f)],
            SKShaderTileMode.Clamp);
        paint.Shader = fall;
        p.Canvas.DrawRect(0, rim - 16, 128, 128, paint);
    }
}
