using Dreambooth.Lab.Miniature.World.Painting;

namespace Dreambooth.Lab.Miniature.World.Scenes;

/// <summary>A place that a subject can be in. Instances hold no state, so that many threads may paint at once.</summary>
internal abstract class Scene
{
    /// <summary>How it receives its subject.</summary>
    public virtual Setting Setting { get; } = new();

    /// <summary>Paints everything behind the subject, in units of 1/128 of the picture's side.</summary>
    /// <param name="p">The painter.</param>
    /// <param name="random">Decides the details.</param>
    public abstract void PaintBack(Painter p, SeededRandom random);

    /// <summary>Paints what is before the subject.</summary>
    /// <param name="p">The painter.</param>
    /// <param name="random">Starts as for <see cref="PaintBack"/>.</param>
    public virtual void PaintFront(Painter p, SeededRandom random)
    {
    }

    /// <summary>The scene of a kind.</summary>
    public static Scene Of(SceneKind kind) => All[(int)kind];

    private static readonly Scene[] All =
    [
        new ForestScene(), new BeachScene(), new SnowScene(), new CityNightScene(), new WindowsillScene(), new CardboardBoxScene(),
        new SuitcaseScene(), new GardenScene(), new DesertScene(), new KitchenTableScene(), new LibraryScene(), new MountainLakeScene(),
        new SunsetHillScene(), new RugScene(), new MoonScene(), new UnderwaterScene(),
    ];
}
