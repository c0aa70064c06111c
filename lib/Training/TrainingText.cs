using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// The text of a micro-batch: encoded once and cached, or encoded again in each pass because the encoders are trained. It is given as what
/// goes in and what is done with it, so that a pass can be recorded over inputs of its own.
/// </summary>
/// <param name="Inputs">What the text is made of, without gradients: cached embeddings, or token ids and T5's rows.</param>
/// <param name="Encode">
/// Makes the text of such inputs; the result belongs to the current dispose scope and carries gradients where encoders are trained.
/// </param>
public sealed record TrainingText(IReadOnlyList<Tensor> Inputs, Func<IReadOnlyList<Tensor>, PromptEmbeddings> Encode)
{
    /// <summary>Text that is encoded already.</summary>
    /// <param name="text">B rows, or one for all.</param>
    public static implicit operator TrainingText(PromptEmbeddings text) => Of(text);

    /// <summary>Text that is encoded already.</summary>
    /// <param name="text">B rows, or one for all.</param>
    public static TrainingText Of(PromptEmbeddings text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new([text.PromptEmbeds, text.PooledPromptEmbeds], static inputs => new(inputs[0], inputs[1]));
    }

    /// <summary>Text that the CLIP encoders encode in each pass.</summary>
    /// <param name="encoder">The encoders.</param>
    /// <param name="prompts">Texts, B of them.</param>
    /// <param name="t5">T5's tokens of them, <c>[B, L, D]</c>.</param>
    public static TrainingText Of(PromptEncoder encoder, IReadOnlyList<string> prompts, Tensor t5)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var (clipIds, clip2Ids) = encoder.ClipIds(prompts);
        return new([clipIds, clip2Ids, t5], inputs => encoder.EncodeIds(inputs[0], inputs[1], inputs[2]));
    }

    /// <summary>The text as it is now, B rows or one for all.</summary>
    public PromptEmbeddings Embeddings() => Encode(Inputs);

    /// <summary>Moves the inputs out of the current dispose scope into the one around it.</summary>
    public TrainingText MoveToOuterDisposeScope()
    {
        foreach (var input in Inputs)
            input.MoveToOuterDisposeScope();
        return this;
    }
}
