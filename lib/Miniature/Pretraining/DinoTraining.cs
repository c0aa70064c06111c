using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.ImageEncoders;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Trains a small ViT of DINO's architecture to tell individuals apart. It learns by a supervised contrastive loss and not by DINO's
/// self-distillation: another view of the same picture is its nearest partner, another picture of the same individual the next, and all
/// other individuals, similar cats among them, are pushed away. Letters: B pictures.
/// </summary>
internal static class DinoTraining
{
    /// <summary>Name of the folder that it writes.</summary>
    public const string Name = "dino";

    private const ulong FirstPicture = 7_100_000_000, FirstHeldOutPicture = 7_900_000_000;
    private const float SmallestPart = 0.6f;
    private const int Batches = 64;

    /// <summary>Trains; writes the encoder's folder and its curve into the output folder.</summary>
    /// <param name="recipe">Sizes and rates.</param>
    /// <param name="options">Where and how long.</param>
    /// <returns>Figures of individuals never trained on.</returns>
    /// <exception cref="LabException">The batch is no multiple of 4.</exception>
    public static IReadOnlyDictionary<string, double> Run(MiniatureRecipe recipe, PretrainingOptions options)
    {
        var encoder = recipe.Encoders;
        if (encoder.BatchSize < 8 || encoder.BatchSize % 4 != 0)
            throw new LabException(
                $"The encoders' batch is {encoder.BatchSize}; a multiple of 4 from 8 is needed: two views of two pictures.");
        options.PrepareDevice();
        manual_seed((long)recipe.InitSeed);
        using var model = new ViTModel(encoder.Vit, CPU, ScalarType.Float32);
        WeightInitializer.Initialize(model, (recipe.InitSeed * 16) + 7);
        using var weights = new FlatParameters([(Name, model)], options.Device, ScalarType.Float32);
        using var training = IndividualPictures.Paint(
            recipe, options,
            [Individuals.MarkedCats(encoder.MarkedCats, false), Individuals.Ordinary(true, false), Individuals.Ordinary(false, false)],
            encoder.PicturesEach, encoder.PaintedSize, "Individuals", FirstPicture);
        using var heldOut = IndividualPictures.Paint(recipe, options, HeldOut(encoder), 2, encoder.ImageSize, "HeldOutIndividuals",
            FirstHeldOutPicture);
        options.Log(FormattableString.Invariant(
            $"{training.Count:N0} individuals, {training.Pictures:N0} pictures; {heldOut.Count:N0} individuals held out"));
        var random = new SeededRandom(recipe.InitSeed, 720);
        var views = new PictureViews(random, SmallestPart, encoder.ImageSize);
        var (shares, individuals) = Shares(encoder, training);
        using var partners = ContrastiveLoss.Partners(individuals, encoder.SamePicture, options.Device);
        return new EncoderSteps(Name, encoder, options, weights).Run(Loss, () => Measure(model, heldOut), Save);

        Tensor Loss()
        {
            using var scope = NewDisposeScope();
            var pictures = training.DrawPairs(shares, random);
            var embeddings = model.forward(cat([views.Of(pictures), views.Of(pictures)], 0)).Embedding;
            return ContrastiveLoss.OfIndividuals(embeddings, partners, encoder.ImageTemperature).MoveToOuterDisposeScope();
        }

        void Save() => EncoderFolders.WriteDino(Path.Combine(options.Output, Name), encoder, weights.Of(weights.Averages, Name));
    }

    // Half of the held-out individuals are cats with marks, the rest ordinary subjects.
    private static List<IReadOnlyList<Individual>> HeldOut(EncoderRecipe encoder)
    {
        IReadOnlyList<Individual> ordinary =
            [.. Individuals.Ordinary(true, true).Concat(Individuals.Ordinary(false, true)).Take(encoder.HeldOutIndividuals / 2)];
        return [Individuals.MarkedCats(encoder.HeldOutIndividuals - ordinary.Count, true), ordinary];
    }

    // Half of the individuals of a step are cats with marks and a fifth ordinary cats: what is hard to tell apart is there.
    private static (int[] Shares, int Individuals) Shares(EncoderRecipe encoder, IndividualPictures training)
    {
        var all = encoder.BatchSize / 4;
        var marked = Math.Min(all / 2, encoder.MarkedCats);
        int[] shares = [marked, all / 5, all - marked - (all / 5)];
        return training.Count >= all ? (shares, all) : throw new LabException($"There are {training.Count} individuals; {all} are needed.");
    }

    private static List<(string Name, double Value)> Measure(ViTModel model, IndividualPictures heldOut)
    {
        using var scope = NewDisposeScope();
        var pictures = heldOut.All();
        var embeddings = cat([.. pictures.split(Batches).Select(part => model.forward(part).Embedding)], 0).view(heldOut.Count, 2, -1);
        var (first, second) = (embeddings.select(1, 0), embeddings.select(1, 1));
        return [("same_individual", Retrieval.Rate(first, second)), ("among_5", Retrieval.Rate(first, second, 5))];
    }
}
