using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Miniature.World;

/// <summary>A data set of three painted subjects in the layout of DreamBooth's, for proofs of the benchmark on the miniature.</summary>
internal static class PaintedBenchmark
{
    private const int Photos = 5;

    private static readonly (string Name, WorldSpec Look)[] Subjects =
    [
        ("striped_orange_cat", new() { Kind = SubjectKind.Cat, Colour = SubjectColour.Orange, Pattern = CoatPattern.Striped, Scene = 0 }),
        ("spotted_white_dog", new() { Kind = SubjectKind.Dog, Colour = SubjectColour.White, Pattern = CoatPattern.Spotted, Scene = 0 }),
        ("blue_teapot", new() { Kind = SubjectKind.Teapot, Colour = SubjectColour.Blue, Pose = SubjectPose.Standing, Scene = 0 }),
    ];

    // Photos show some places, prompts ask for others.
    private static readonly SceneKind[] Seen = [SceneKind.Rug, SceneKind.Garden, SceneKind.Windowsill, SceneKind.Beach, SceneKind.Library];

    private static readonly SceneKind[] Asked = [SceneKind.Snow, SceneKind.Forest, SceneKind.Desert, SceneKind.KitchenTable];

    /// <summary>Paints the photos and writes the list of classes and prompts.</summary>
    /// <param name="folder">Created when missing.</param>
    public static void Write(string folder)
    {
        foreach (var (name, look) in Subjects)
        {
            for (var i = 0; i < Photos; i++)
            {
                var spec = look with { Scene = Seen[i], Facing = (SubjectFacing)(i % 2), DetailSeed = SeededRandom.Mix((ulong)i + 1) };
                ImageEncoder.Save(Path.Combine(folder, name, $"{i:D2}.png"), WorldRenderer.Render(spec));
            }
        }

        var prompts = string.Concat(Asked.Select(scene =>
            $"'a photo of a {{0}} {{1}} {CaptionWords.Scene(scene)[0]}'.format(unique_token, class_token),\n"));
        var classes = string.Concat(Subjects.Select(subject => $"{subject.Name},{CaptionWords.Kind(subject.Look.Kind)}\n"));
        File.WriteAllText(
            Path.Combine(folder, DreamBenchDataset.ListName),
            $"Classes\n\nsubject_name,class\n{classes}\nPrompts\n\nObject Prompts\n\nprompt_list = [\n{prompts}]\n\n"
            + $"Live Subject Prompts\n\nprompt_list = [\n{prompts}]\n");
        File.WriteAllText(
            Path.Combine(folder, DreamBenchRun.PaintedName), "The pictures are painted by lib/Miniature; its classifier can judge them.\n");
    }
}
