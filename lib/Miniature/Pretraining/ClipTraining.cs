using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.ImageEncoders;
using Dreambooth.Lab.Models.TextEncoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>Trains a small CLIP on painted pictures and their captions, by CLIP's own loss. Letters: B pictures, W window.</summary>
internal static class ClipTraining
{
    /// <summary>Name of the folder that it writes.</summary>
    public const string Name = "clip";

    private const string Vision = "vision", Text = "text";
    private const float SmallestPart = 0.85f;
    private const int Batches = 64;

    /// <summary>Trains; writes the model's folder and its curve into the output folder.</summary>
    /// <param name="recipe">Sizes and rates.</param>
    /// <param name="options">Where and how long.</param>
    /// <returns>Figures of captions of combinations never trained on.</returns>
    public static IReadOnlyDictionary<string, double> Run(MiniatureRecipe recipe, PretrainingOptions options)
    {
        var encoder = recipe.Encoders;
        options.PrepareDevice();
        manual_seed((long)recipe.InitSeed);
        var tokenizers = new MiniatureTokenizers(recipe.TextWindow);
        var text = encoder.ClipText(tokenizers.ClipVocabSize, recipe.TextWindow);
        using var images = new CLIPVisionModelWithProjection(encoder.ClipVision, CPU, ScalarType.Float32);
        using var texts = new CLIPTextModelWithProjection(text, CPU, ScalarType.Float32);
        WeightInitializer.Initialize(images, (recipe.InitSeed * 16) + 8);
        WeightInitializer.Initialize(texts, (recipe.InitSeed * 16) + 9);
        using var weights = new FlatParameters([(Vision, images), (Text, texts)], options.Device, ScalarType.Float32);
        var folder = Path.Combine(options.Output, "clip-tokenizers");
        tokenizers.Write(folder);
        using var training = new CaptionedPictures(
            recipe, options, folder, recipe.FirstDrawing, options.Pictures, CombinationSplit.TrainOnly, encoder.PaintedSize);
        using var heldOut = new CaptionedPictures(
            recipe, options, folder, recipe.FirstHeldOutDrawing, encoder.HeldOutCaptions, CombinationSplit.HeldOutOnly,
            encoder.ImageSize);
        options.Log(FormattableString.Invariant($"{training.Count:N0} pictures with captions; {heldOut.Count:N0} held out"));
        var views = new PictureViews(new SeededRandom(recipe.InitSeed, 730), SmallestPart, encoder.ImageSize);
        return new EncoderSteps(Name, encoder, options, weights).Run(Loss, () => Measure(images, texts, heldOut), Save);

        Tensor Loss()
        {
            using var scope = NewDisposeScope();
            var (pixels, ids) = training.Draw(encoder.BatchSize);
            return ContrastiveLoss.OfPairs(images.forward(views.Of(pixels)).Embedding, texts.forward(ids).TextEmbeds,
                encoder.TextTemperature).MoveToOuterDisposeScope();
        }

        void Save()
        {
            var target = Path.Combine(options.Output, Name);
            EncoderFolders.WriteClip(
                target, encoder, text, [.. weights.Of(weights.Averages, Vision), .. weights.Of(weights.Averages, Text)]);
            tokenizers.WriteClip(target);
            MiniatureFolder.WriteManifest(target);
        }
    }

    private static List<(string Name, double Value)> Measure(
        CLIPVisionModelWithProjection images, CLIPTextModelWithProjection texts, CaptionedPictures heldOut)
    {
        using var scope = NewDisposeScope();
        var (pixels, ids) = heldOut.All();
        var pictures = cat([.. pixels.split(Batches).Select(part => images.forward(part).Embedding)], 0);
        var captions = cat([.. ids.split(Batches).Select(part => texts.forward(part).TextEmbeds)], 0);
        return
        [
            ("caption_of_picture", Retrieval.Rate(pictures, captions)), ("caption_among_5", Retrieval.Rate(pictures, captions, 5)),
            ("picture_of_caption", Retrieval.Rate(captions, pictures)), ("picture_among_5", Retrieval.Rate(captions, pictures, 5)),
        ];
    }
}
