using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.Pretraining;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature;

/// <summary>
/// The miniature's models during pre-training, on the CPU with their first weights until <see cref="FlatParameters"/> moves them.
/// </summary>
internal sealed class MiniatureModels : IDisposable
{
    /// <summary>Creates the models with weights drawn from the recipe's seed.</summary>
    /// <param name="recipe">Sizes.</param>
    /// <exception cref="LabException">The recipe's parts do not fit.</exception>
    public MiniatureModels(MiniatureRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        recipe.Validate();
        Tokenizers = new MiniatureTokenizers(recipe.TextWindow);
        Recipe = recipe with
        {
            Clip = recipe.Clip with { VocabSize = Tokenizers.ClipVocabSize, EosTokenId = Tokenizers.ClipStartId + 1 },
            Clip2 = recipe.Clip2 with { VocabSize = Tokenizers.ClipVocabSize, EosTokenId = Tokenizers.ClipStartId + 1 },
            T5 = recipe.T5 with { VocabSize = Tokenizers.T5VocabSize },
        };
        Vae = Initialized(new AutoencoderKL(Recipe.Vae, CPU, ScalarType.Float32), 1);
        Transformer = Initialized(new SD3Transformer2DModel(Recipe.Transformer, CPU, ScalarType.Float32), 2);
        Clip = Initialized(new CLIPTextModelWithProjection(Recipe.Clip, CPU, ScalarType.Float32), 3);
        Clip2 = Initialized(new CLIPTextModelWithProjection(Recipe.Clip2, CPU, ScalarType.Float32), 4);
        T5 = Initialized(new T5EncoderModel(Recipe.T5, CPU, ScalarType.Float32), 5);
    }

    /// <summary>The recipe with the vocabularies' sizes.</summary>
    public MiniatureRecipe Recipe { get; }

    public MiniatureTokenizers Tokenizers { get; }

    /// <summary>Pictures to latents and back.</summary>
    public AutoencoderKL Vae { get; }

    /// <summary>Predicts the flow.</summary>
    public SD3Transformer2DModel Transformer { get; }

    /// <summary>First CLIP encoder.</summary>
    public CLIPTextModelWithProjection Clip { get; }

    /// <summary>Second CLIP encoder.</summary>
    public CLIPTextModelWithProjection Clip2 { get; }

    /// <summary>T5 encoder.</summary>
    public T5EncoderModel T5 { get; }

    /// <summary>The models that are trained by the flow-matching loss, by the names of their folders.</summary>
    public IReadOnlyList<(string Prefix, nn.Module Model)> DiffusionParts =>
        [("transformer", Transformer), ("text_encoder", Clip), ("text_encoder_2", Clip2), ("text_encoder_3", T5)];

    /// <summary>Whether a parameter is a table that is not trained.</summary>
    /// <param name="path">Its name with the model's prefix.</param>
    public static bool IsFixed(string path) => path == "transformer.pos_embed.pos_embed";

    /// <summary>Frees the models.</summary>
    public void Dispose()
    {
        Vae.Dispose();
        Transformer.Dispose();
        Clip.Dispose();
        Clip2.Dispose();
        T5.Dispose();
    }

    private T Initialized<T>(T model, ulong part)
        where T : nn.Module
    {
        WeightInitializer.Initialize(model, (Recipe.InitSeed * 16) + part);
        return model;
    }
}
