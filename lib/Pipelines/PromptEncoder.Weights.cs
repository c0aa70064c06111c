using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <content>Prompts with weights.</content>
public sealed partial class PromptEncoder
{
    private readonly HashSet<string> _toldOfWeights = new(StringComparer.Ordinal);

    /// <summary>
    /// Whether weights such as <c>(gmc cat:1.3)</c> are acted on; default false: they are plain words, which is told once per prompt. The
    /// marked tokens of all three encoders move on the line from the empty prompt's embedding at their place to their own, e + w · (x − e):
    /// as ComfyUI does; 0 is the empty prompt, 1 changes nothing. CLIP's pooled embedding stays as it is.
    /// </summary>
    public bool PromptWeighting { get; set; }

    private static bool HasMarks(IEnumerable<string> prompts) =>
        prompts.Any(prompt => PromptWeights.Parse(prompt).Marks.Count > 0);

    private IReadOnlyList<string> Plain(IReadOnlyList<string> prompts) =>
        PromptWeighting ? [.. prompts.Select(prompt => PromptWeights.Parse(prompt).Text)] : prompts;

    private void TellOfMarks(IEnumerable<string> prompts)
    {
        if (PromptWeighting || Warn is null)
            return;
        foreach (var prompt in prompts.Distinct(StringComparer.Ordinal))
        {
            if (PromptWeights.Parse(prompt).Marks is [var mark, ..] && _toldOfWeights.Add(prompt))
            {
                Warn($"The prompt '{ShownText.Line(prompt)}' has '{ShownText.Line(mark.Shown)}', read as plain words; --prompt_weighting "
                    + "makes it a weight.");
            }
        }
    }

    private PromptEmbeddings EncodeWeighted(
        IReadOnlyList<string> prompts, IReadOnlyList<string> prompts2, IReadOnlyList<string> prompts3, int? maxSequenceLength,
        int? clipSkip)
    {
        using var scope = NewDisposeScope();
        var own = EncodePlain(Plain(prompts), Plain(prompts2), Plain(prompts3), maxSequenceLength, clipSkip);
        var empty = EncodePlain([string.Empty], [string.Empty], [string.Empty], maxSequenceLength, clipSkip);
        var clip = Weights(prompts, Tokenizer, ClipWindow, Clip.Config.HiddenSize);
        var clip2 = Weights(prompts2, Tokenizer2, ClipWindow, Clip2.Config.HiddenSize);
        var rest = ones([prompts.Count, ClipWindow, _textWidth - clip.shape[2] - clip2.shape[2]]);
        var length = (int)own.PromptEmbeds.shape[1] - ClipWindow;
        var t5 = T5 is null ? ones([prompts.Count, length, _textWidth]) : Weights(prompts3, Tokenizer3!, length, _textWidth);
        var weights = cat([cat([clip, clip2, rest], dim: 2), t5], dim: 1).to(own.PromptEmbeds.dtype, own.PromptEmbeds.device);
        // What is not marked stays as it is, to the bit.
        var moved = empty.PromptEmbeds.add((own.PromptEmbeds - empty.PromptEmbeds) * weights, KeptScalar.One);
        moved = where(weights == ones_like(weights), own.PromptEmbeds, moved);
        return new PromptEmbeddings(moved, own.PooledPromptEmbeds).MoveToOuterDisposeScope();
    }

    private PromptEmbeddings EncodePlain(
        IReadOnlyList<string> prompts, IReadOnlyList<string> prompts2, IReadOnlyList<string> prompts3, int? maxSequenceLength,
        int? clipSkip)
    {
        using var scope = NewDisposeScope();
        WarnOfCuts(prompts, prompts2, prompts3, maxSequenceLength);
        return EncodeWith(EncodeT5(prompts3, maxSequenceLength), prompts, clipSkip, prompts2).MoveToOuterDisposeScope();
    }

    private static Tensor Weights(IReadOnlyList<string> prompts, ITextTokenizer tokenizer, int length, long width)
    {
        float[] all = [.. prompts.SelectMany(prompt => PromptWeights.Parse(prompt).OfTokens(tokenizer, length))];
        return tensor(all, [prompts.Count, length, 1]).expand(-1, -1, width);
    }

    /// <summary>Warns of texts that are cut, as encoding them would.</summary>
    /// <param name="prompts">Texts.</param>
    /// <param name="maxSequenceLength">Number of T5 tokens.</param>
    internal void WarnOfCuts(IReadOnlyList<string> prompts, int maxSequenceLength) =>
        WarnOfCuts(prompts, prompts, prompts, maxSequenceLength);
}
