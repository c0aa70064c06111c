using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>A sheet of pictures that an exported miniature makes of captions never trained on.</summary>
internal static class SampleSheet
{
    private const int Batch = 20;

    /// <summary>Generates and writes the sheet.</summary>
    /// <param name="path">The PNG file.</param>
    /// <param name="modelFolder">The exported miniature.</param>
    /// <param name="recipe">Number of pictures, steps and guidance.</param>
    /// <param name="device">Where to generate.</param>
    public static void Write(string path, string modelFolder, MiniatureRecipe recipe, Device device)
    {
        var training = recipe.DiffusionTraining;
        string[] fixedPrompts =
            ["a photo of a cat", "a photo of gmc cat", "a photo of a dog on a beach", "a watercolour painting of a rabbit in a garden"];
        var captions = fixedPrompts.Concat(Enumerable.Range(0, training.PicturesInSheet).Select(i => (ulong)i)
            .Select(i => Captioner.Describe(WorldSampler.Draw(recipe.FirstHeldOutDrawing + i, CombinationSplit.HeldOutOnly), i)));
        using var pipeline = StableDiffusion3Pipeline.Load(modelFolder, new PipelineOptions { Device = device });
        var cells = new List<ContactSheetCell>();
        foreach (var prompts in captions.Take(training.PicturesInSheet).Chunk(Batch))
        {
            var images = pipeline.Generate(
                new GenerationRequest
                {
                    Prompts = prompts,
                    NumInferenceSteps = training.SheetSteps,
                    GuidanceScale = training.SheetGuidance,
                    Seed = (ulong)cells.Count,
                });
            cells.AddRange(images.Select((image, i) => new ContactSheetCell(image, prompts[i])));
        }

        ImageEncoder.Save(path, (ContactSheet.Of(cells, 8) with { CellSize = 160 }).Render());
    }
}
