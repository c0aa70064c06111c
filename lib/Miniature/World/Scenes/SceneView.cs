using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>One look at a scene: perhaps mirrored, and a little nearer or to the side.</summary>
internal sealed class SceneView
{
    private readonly Scene _scene;
    private readonly ulong _seed;
    private readonly bool _mirrored;
    private readonly float _zoom;
    private readonly float _shift;

    private SceneView(Scene scene, ulong seed)
    {
        _scene = scene;
        _seed = seed;
        var random = new SeededRandom(seed, 6);
        _mirrored = random.Chance(0.5);
        _zoom = scene.Setting.Rim is null ? random.Range(1, 1.14f) : 1;
        _shift = random.Range(-1, 1) * (_zoom - 1) * 60;
    }

    /// <summary>The look that a painted picture's seed chooses.</summary>
    public static SceneView Of(Scene scene, ulong seed) => new(scene, seed);

    /// <summary>Paints what is behind the subject.</summary>
    public void PaintBack(Painter p) => Look(p, () => _scene.PaintBack(p, new SeededRandom(_seed, 1)));

    /// <summary>Paints what is before the subject.</summary>
    public void PaintFront(Painter p) => Look(p, () => _scene.PaintFront(p, new SeededRandom(_seed, 1)));

    private void Look(Painter p, Action paint)
    {
        p.Canvas.Save();
        if (_mirrored)
            p.Canvas.Scale(-1, 1, 64, 0);
        p.Canvas.Translate(_shift, 0);
        p.Canvas.Scale(_zoom, _zoom, 64, _scene.Setting.Ground);
        paint();
        p.Canvas.Restore();
    }
}
