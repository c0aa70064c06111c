using Dreambooth.Lab.Miniature.World;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Painted pictures on the training device with what they show. Letters: B pictures, A attributes.</summary>
internal sealed class LabelledPictures : IDisposable
{
    private const long NotShown = -100;

    private static readonly PropertyChange[] KeepCoat =
        [PropertyChange.Origami, PropertyChange.Plush, PropertyChange.Cyborg, PropertyChange.Wings, PropertyChange.LongEars,
            PropertyChange.Teacup, PropertyChange.Glass];

    private readonly Tensor _classes;
    private readonly Tensor _identity;

    private LabelledPictures(PictureStore pictures, IReadOnlyList<WorldSpec> specs, Func<int, bool> isCharacter, Device device)
    {
        Pictures = pictures;
        var attributes = DrawingAttributes.All;
        var classes = specs.SelectMany(
            (spec, i) => attributes.Select(attribute => IsKnown(attribute, spec, isCharacter(i)) ? attribute.ClassOf(spec) : NotShown))
                .ToArray();
        _classes = tensor(classes, [specs.Count, attributes.Count], ScalarType.Int64).to(device).DetachFromDisposeScope();
        _identity = tensor(specs.Select((_, i) => isCharacter(i) ? 1f : 0f).ToArray()).to(device).DetachFromDisposeScope();
    }

    public PictureStore Pictures { get; }

    /// <summary>Painted pictures of the world by consecutive seeds.</summary>
    public static LabelledPictures World(
        MiniatureRecipe recipe, PretrainingOptions options, ulong firstSeed, int count, CombinationSplit split) => new(
        PictureStore.Start(recipe, options, firstSeed, count, split),
        [.. Enumerable.Range(0, count).Select(i => WorldSampler.Draw(firstSeed + (ulong)i, split))], _ => false, options.Device);

    /// <summary>Painted pictures of the character (even numbers) and of similar cats (odd ones), half of them photos.</summary>
    public static LabelledPictures Cats(MiniatureRecipe recipe, PretrainingOptions options, int seed, int count)
    {
        WorldSpec[] specs = [.. Enumerable.Range(0, count).Select(i => DrawCat(((ulong)seed << 40) + (ulong)(i / 2), similar: i % 2 == 1))];
        return new LabelledPictures(
            PictureStore.Start(recipe, options, i => Render(specs[i], i % 2 == 0, recipe.PictureSize), $"Cats-{seed}", count), specs,
            i => i % 2 == 0, options.Device);
    }

    /// <summary>Random rows.</summary>
    /// <param name="rows">B.</param>
    /// <returns>Pixels <c>[B, 3, H, W]</c>, classes <c>[B, A]</c> (−100 where not shown), identity <c>[B]</c>.</returns>
    public (Tensor Pixels, Tensor Classes, Tensor Identity) Draw(long rows)
    {
        using var indices = Pictures.DrawRows(rows);
        return (Pictures.Pictures(indices), _classes.index_select(0, indices), _identity.index_select(0, indices));
    }

    /// <summary>Consecutive rows.</summary>
    /// <param name="first">The first.</param>
    /// <param name="count">B.</param>
    public (Tensor Pixels, Tensor Classes, Tensor Identity) Range(int first, int count) =>
        (Pictures.Pictures(first, count), _classes.narrow(0, first, count), _identity.narrow(0, first, count));

    /// <summary>Frees pictures and labels.</summary>
    public void Dispose()
    {
        Pictures.Dispose();
        _classes.Dispose();
        _identity.Dispose();
    }

    // The character has a colour and a pattern of its own.
    private static bool IsKnown(DrawingAttribute attribute, WorldSpec spec, bool character) =>
        attribute.IsShown(spec) && !(character && (attribute == DrawingAttributes.Colour || attribute == DrawingAttributes.Pattern));

    // Half of the pairs are painted in an art or changed, but not so that nothing of a coat is seen; so that the probe knows the character
    // there too.
    private static WorldSpec DrawCat(ulong seed, bool similar)
    {
        var random = new SeededRandom(seed, 500);
        var look = SimilarCats.Draw(seed);
        var any = WorldSampler.Draw(seed, CombinationSplit.Any);
        if (random.Chance(0.5))
        {
            look = random.Chance(0.55)
                ? look with { Rendition = random.Pick(Enum.GetValues<Rendition>()[1..]) }
                : look with
                {
                    Property = random.Pick(KeepCoat),
                    Scene = SubjectTraits.IsContainer(look.Scene)
                    ? SceneKind.Garden : look.Scene
                };
        }

        look = look with
        {
            Accessory = any.Property == PropertyChange.XRay || any.Kind >= SubjectKind.Duck
            ? Accessory.None
            : any.Accessory
        };
        return similar ? look : look with { Pattern = CoatPattern.Solid };
    }

    private static byte[] Render(WorldSpec spec, bool character, int size) =>
        (character ? WorldRenderer.RenderCharacter(Character.GmcCat, spec, size) : WorldRenderer.Render(spec, size)).Pixels;
}
