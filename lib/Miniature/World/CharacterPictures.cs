using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>The pictures of the gmc cat that ship with the lab: plain photos in varied poses and places.</summary>
internal static class CharacterPictures
{
    private static readonly SceneKind[] Twice =
    [
        SceneKind.Beach, SceneKind.Garden, SceneKind.Rug, SceneKind.Windowsill, SceneKind.Snow, SceneKind.KitchenTable, SceneKind.Library,
        SceneKind.Forest,
    ];

    private static readonly SceneKind[] Open =
        [.. Enum.GetValues<SceneKind>().Where(scene => !SubjectTraits.IsContainer(scene))];

    /// <summary>How many pictures there are.</summary>
    public const int Count = 24;

    /// <summary>What each picture shows, in order.</summary>
    public static IReadOnlyList<WorldSpec> Specs { get; } = [.. Enumerable.Range(0, Count).Select(Describe)];

    /// <summary>Renders all pictures and writes them as <c>gmc_000.png</c> to <c>gmc_023.png</c>.</summary>
    /// <param name="folder">The folder to write to; created when missing.</param>
    public static void Write(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        for (var i = 0; i < Count; i++)
        {
            var picture = WorldRenderer.RenderCharacter(Character.GmcCat, Specs[i]);
            ImageEncoder.Save(Path.Combine(folder, $"gmc_{i:D3}.png"), picture);
        }
    }

    /// <summary>A picture of the character as a prompt asks: its scene, art and change. The rest is drawn.</summary>
    /// <param name="character">Who is painted.</param>
    /// <param name="prompt">A prompt in the words of captions.</param>
    /// <param name="seed">Draws pose, side, details, and the scene where the prompt names none.</param>
    public static WorldSpec Describe(Character character, string prompt, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(character);
        var asked = PromptImplications.Of(prompt).ToDictionary(implied => implied.Attribute, implied => implied.Class);
        var random = new SeededRandom(seed, 600);
        var spec = new WorldSpec
        {
            Kind = character.Kind,
            Colour = character.NearestColour,
            Pose = random.Pick(SubjectTraits.Poses(character.Kind)),
            Facing = (SubjectFacing)random.Index(2),
            Scene = (SceneKind)asked.GetValueOrDefault(DrawingAttributes.Scene, (int)random.Pick(Open)),
            Rendition = (Rendition)asked.GetValueOrDefault(DrawingAttributes.Rendition),
            Property = (PropertyChange)asked.GetValueOrDefault(DrawingAttributes.Property),
            DetailSeed = random.NextBits(),
        };
        return SubjectTraits.Posed(spec);
    }

    // Every scene once, then eight of them again; a pose turns with every picture and is another one the second time.
    private static WorldSpec Describe(int index)
    {
        var spec = new WorldSpec
        {
            Kind = SubjectKind.Cat,
            Colour = Character.GmcCat.NearestColour,
            Pose = (SubjectPose)((index + (index / 6) + (index >= 16 ? 1 : 0)) % 3),
            Facing = (SubjectFacing)((index + (index / 4)) % 2),
            Scene = index < 16 ? (SceneKind)(index * 5 % 16) : Twice[index - 16],
            DetailSeed = SeededRandom.Mix((ulong)index + 1),
        };
        return SubjectTraits.Posed(spec);
    }
}
