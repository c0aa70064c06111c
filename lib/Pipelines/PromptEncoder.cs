using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// The three text encoders of Stable Diffusion 3 with their tokenizers. A row of text tokens is both CLIP encoders' tokens
/// side by side, padded with zeros to the transformer's text width, then T5's tokens; without T5, zeros stand in its place.
/// </summary>
public sealed partial class PromptEncoder : IDisposable
{
    /// <summary>The reference's default number of T5 tokens when sampling, where the tokenizer allows as many.</summary>
    public const int DefaultMaxSequenceLength = 256;

    // Their tokens are on the device together: 2 MiB each in bfloat16, beside a block of T5.
    private const int MostTextsAtOnce = 64;

    // Of each text in a line that names several.
    private const int MostShown = 60;

    private readonly long _textWidth;
    private readonly TextRows _t5Rows = new();
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);

    /// <summary>Creates the encoder; it owns the models.</summary>
    /// <param name="clip">First CLIP encoder.</param>
    /// <param name="clip2">Second CLIP encoder.</param>
    /// <param name="t5">T5 encoder, or null.</param>
    /// <param name="tokenizer">Tokenizer of the first CLIP encoder; its window is used for both.</param>
    /// <param name="tokenizer2">Tokenizer of the second CLIP encoder.</param>
    /// <param name="tokenizer3">Tokenizer of T5, or null.</param>
    /// <param name="textWidth">The transformer's text width.</param>
    public PromptEncoder(
        CLIPTextModelWithProjection clip, CLIPTextModelWithProjection clip2, T5EncoderModel? t5,
        ITextTokenizer tokenizer, ITextTokenizer tokenizer2, ITextTokenizer? tokenizer3, long textWidth)
    {
        if (t5 is not null)
            ArgumentNullException.ThrowIfNull(tokenizer3);
        ArgumentNullException.ThrowIfNull(clip);
        (Clip, Clip2, T5) = (clip, clip2, t5);
        (Tokenizer, Tokenizer2, Tokenizer3) = (tokenizer, tokenizer2, tokenizer3);
        _textWidth = textWidth;
    }

    /// <summary>First CLIP encoder (<c>text_encoder</c>).</summary>
    public CLIPTextModelWithProjection Clip { get; }

    /// <summary>Second CLIP encoder (<c>text_encoder_2</c>).</summary>
    public CLIPTextModelWithProjection Clip2 { get; }

    /// <summary>T5 encoder (<c>text_encoder_3</c>), or null.</summary>
    public T5EncoderModel? T5 { get; private set; }

    /// <summary>Tokenizer of the first CLIP encoder.</summary>
    public ITextTokenizer Tokenizer { get; }

    /// <summary>Tokenizer of the second CLIP encoder.</summary>
    public ITextTokenizer Tokenizer2 { get; }

    /// <summary>Tokenizer of T5, or null.</summary>
    public ITextTokenizer? Tokenizer3 { get; }

    /// <summary>Device of the encoders.</summary>
    public Device Device => OnDemand?.Device ?? Clip.TextProjection.Weight.device;

    /// <summary>How the encoders get their weights; null where these are in memory all the time.</summary>
    internal EncodersOnDemand? OnDemand { get; init; }

    /// <summary>Receives a sentence for each prompt that is longer than a window, once per prompt.</summary>
    public Action<string>? Warn { get; set; }

    /// <summary>
    /// The number of CLIP tokens: the tokenizers' window, or the encoders' where a tokenizer names none (published ones say 1e30) or a
    /// longer one.
    /// </summary>
    public int ClipWindow => Math.Min(
        Math.Min(Tokenizer.ModelMaxLength, Tokenizer2.ModelMaxLength),
        Math.Min(Clip.Config.MaxPositionEmbeddings, Clip2.Config.MaxPositionEmbeddings));

    /// <summary>The number of T5 tokens when none is asked for: 256, or the tokenizer's window where that is shorter.</summary>
    public int DefaultSequenceLength => Math.Min(DefaultMaxSequenceLength, Tokenizer3?.ModelMaxLength ?? DefaultMaxSequenceLength);

    /// <summary>Encodes prompts; one row each.</summary>
    /// <param name="prompts">Texts.</param>
    /// <param name="maxSequenceLength">Number of T5 tokens, or null for <see cref="DefaultSequenceLength"/>.</param>
    /// <param name="clipSkip">How many more of CLIP's last layers are left out, or null for none.</param>
    /// <param name="prompts2">Texts for the second CLIP encoder, or null for the same.</param>
    /// <param name="prompts3">Texts for T5, or null for the same.</param>
    /// <returns><c>[B, CLIP window + T5 tokens, D]</c> and <c>[B, P]</c>; with gradients where they are on.</returns>
    public PromptEmbeddings Encode(
        IReadOnlyList<string> prompts, int? maxSequenceLength = null, int? clipSkip = null,
        IReadOnlyList<string>? prompts2 = null, IReadOnlyList<string>? prompts3 = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        if (prompts.Count == 0 || (prompts2 ?? prompts).Count != prompts.Count || (prompts3 ?? prompts).Count != prompts.Count)
            throw new ArgumentException(
                $"Prompts must be as many for each encoder, at least one; there are {prompts.Count}, {(prompts2 ?? prompts).Count} and "
                + $"{(prompts3 ?? prompts).Count}.", nameof(prompts));
        TellOfMarks([.. prompts, .. prompts2 ?? [], .. prompts3 ?? []]);
        return PromptWeighting && HasMarks([.. prompts, .. prompts2 ?? [], .. prompts3 ?? []])
            ? EncodeWeighted(prompts, prompts2 ?? prompts, prompts3 ?? prompts, maxSequenceLength, clipSkip)
            : EncodePlain(prompts, prompts2 ?? prompts, prompts3 ?? prompts, maxSequenceLength, clipSkip);
    }

    /// <summary>Encodes prompts with the CLIP encoders and joins T5's rows, which may come from a cache.</summary>
    /// <param name="t5">T5's tokens, <c>[B, L, D]</c>.</param>
    /// <param name="prompts">Texts.</param>
    /// <param name="clipSkip">How many more of CLIP's last layers are left out, or null for none.</param>
    /// <param name="prompts2">Texts for the second CLIP encoder, or null for the same.</param>
    /// <returns><c>[B, CLIP window + L, D]</c> and <c>[B, P]</c>; with gradients where they are on.</returns>
    public PromptEmbeddings EncodeWith(
        Tensor t5, IReadOnlyList<string> prompts, int? clipSkip = null, IReadOnlyList<string>? prompts2 = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        using var scope = NewDisposeScope();
        var (clipIds, clip2Ids) = ClipIds(prompts, prompts2);
        return EncodeIds(clipIds, clip2Ids, t5, clipSkip).MoveToOuterDisposeScope();
    }

    /// <summary>The token ids that <see cref="EncodeIds"/> takes.</summary>
    /// <param name="prompts">Texts.</param>
    /// <param name="prompts2">Texts for the second CLIP encoder, or null for the same.</param>
    /// <returns>Ids for each CLIP encoder, <c>[B, CLIP window]</c>, int64.</returns>
    public (Tensor Clip, Tensor Clip2) ClipIds(IReadOnlyList<string> prompts, IReadOnlyList<string>? prompts2 = null)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        WarnOfCuts(prompts, prompts2 ?? prompts);
        var window = ClipWindow;
        return (Ids(Tokenizer, prompts, window, Clip.Config.VocabSize, Device),
            Ids(Tokenizer2, prompts2 ?? prompts, window, Clip2.Config.VocabSize, Device));
    }

    /// <summary>Encodes token ids with the CLIP encoders and joins T5's rows.</summary>
    /// <param name="clipIds">Ids of the first CLIP tokenizer, <c>[B, CLIP window]</c>, int64.</param>
    /// <param name="clip2Ids">Ids of the second CLIP tokenizer, <c>[B, CLIP window]</c>, int64.</param>
    /// <param name="t5">T5's tokens, <c>[B, L, D]</c>.</param>
    /// <param name="clipSkip">How many more of CLIP's last layers are left out, or null for none.</param>
    /// <returns><c>[B, CLIP window + L, D]</c> and <c>[B, P]</c>; with gradients where they are on.</returns>
    public PromptEmbeddings EncodeIds(Tensor clipIds, Tensor clip2Ids, Tensor t5, int? clipSkip = null)
    {
        ArgumentNullException.ThrowIfNull(clipIds);
        ArgumentNullException.ThrowIfNull(clip2Ids);
        ArgumentNullException.ThrowIfNull(t5);
        using var scope = NewDisposeScope();
        var (tokens1, pooled1) = EncodeClip(Clip, OnDemand?.Clip, clipIds, clipSkip);
        var (tokens2, pooled2) = EncodeClip(Clip2, OnDemand?.Clip2, clip2Ids, clipSkip);
        var clip = cat([tokens1, tokens2], dim: -1);
        clip = nn.functional.pad(clip, [0, _textWidth - clip.shape[^1]]);
        return new PromptEmbeddings(cat([clip, t5.to(clip.dtype)], dim: 1), cat([pooled1, pooled2], dim: -1)).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes prompts with T5 alone.</summary>
    /// <param name="prompts">Texts.</param>
    /// <param name="maxSequenceLength">Number of tokens, or null for <see cref="DefaultSequenceLength"/>.</param>
    /// <returns><c>[B, L, D]</c>; zeros without T5.</returns>
    public Tensor EncodeT5(IReadOnlyList<string> prompts, int? maxSequenceLength)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        var length = maxSequenceLength ?? DefaultSequenceLength;
        if (T5 is null)
            return zeros([prompts.Count, length, _textWidth], Clip.TextProjection.Weight.dtype, Device);
        if (OnDemand is not null)
        {
            Prepare([(prompts, length)]);
            return _t5Rows.Copy(prompts, length, Device);
        }

        WarnOfCuts(t5: prompts, t5Length: length);
        using var ids = Ids(Tokenizer3!, prompts, length, T5.Config.VocabSize, Device);
        return T5.call(ids);
    }

    /// <summary>
    /// Encodes texts with T5 in advance, up to 64 per pass over T5's file. Does nothing where T5 is in memory, or where the texts are
    /// cached.
    /// </summary>
    /// <param name="texts">
    /// Texts as they will be encoded together, each with the number of T5 tokens or null for <see cref="DefaultSequenceLength"/>.
    /// </param>
    public void Prepare(IEnumerable<(IReadOnlyList<string> Prompts, int? MaxSequenceLength)> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (T5 is null || OnDemand is null)
            return;
        var asked = texts.ToList();
        var all = asked.Concat(PromptWeighting ? asked.Where(text => HasMarks(text.Prompts)).Select(
            text => ((IReadOnlyList<string>)[string.Empty], text.MaxSequenceLength)) : [])
            .Select(text => (Prompts: Plain(text.Item1), Length: text.Item2 ?? DefaultSequenceLength))
            .DistinctBy(text => (string.Join('\0', text.Prompts), text.Length)).ToList();
        var missing = all.Where(text => !_t5Rows.Contains(text.Prompts, text.Length)).ToList();
        if (missing.Count == 0)
            return;
        _t5Rows.Expect(all.Count);
        foreach (var some in missing.Chunk(MostTextsAtOnce))
        {
            using var scope = NewDisposeScope();
            var tokens = T5.Stream(
                [.. some.Select(text => Ids(Tokenizer3!, text.Prompts, text.Length, T5.Config.VocabSize, CPU))], OnDemand.T5!, Device);
            foreach (var (text, rows) in some.Zip(tokens))
                _t5Rows.Add(text.Prompts, text.Length, rows);
        }
    }

    /// <summary>
    /// Reports how many texts fit the encoders, and names the first ones that are cut; later calls do not warn of them again.
    /// </summary>
    /// <param name="prompts">Texts.</param>
    /// <param name="maxSequenceLength">Number of T5 tokens, cut to its tokenizer's window.</param>
    internal string TellWindows(IReadOnlyList<string> prompts, int maxSequenceLength)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        List<(string Name, ITextTokenizer Tokenizer, int Window)> readers = [("CLIP", Tokenizer, ClipWindow)];
        if (T5 is not null)
            readers.Add(("T5", Tokenizer3!, Math.Min(maxSequenceLength, Tokenizer3!.ModelMaxLength)));
        int[][] lengths = [.. readers.Select(reader => prompts.Select(prompt => reader.Tokenizer.Encode(prompt).Count).ToArray())];
        string[] cut = [.. prompts.Where((_, i) => readers.Where((reader, r) => lengths[r][i] > reader.Window).Any())];
        _told.UnionWith(cut);
        var windows = string.Join(", ", readers.Select((reader, r) =>
            $"{reader.Name} reads {reader.Window} tokens" + (cut.Length == 0 ? string.Empty : $", the longest has {lengths[r].Max()}")));
        return cut.Length == 0
            ? $"Every text is read to its end: {windows}"
            : $"{cut.Length} of {prompts.Count} texts are cut: {windows} "
                + $"({Foundation.ShownText.Names([.. cut.Select(text => $"'{Foundation.ShownText.Line(text, MostShown)}'")])})";
    }

    /// <summary>Keeps both CLIP encoders' weights in memory until disposed; no effect where they always are.</summary>
    /// <returns>Lets go of them when disposed.</returns>
    public IDisposable? Hold()
    {
        if (OnDemand is null)
            return null;
        var first = OnDemand.Clip.Hold();
        try
        {
            return new Held(first, OnDemand.Clip2.Hold());
        }
        catch
        {
            first.Dispose();
            throw;
        }
    }

    /// <summary>Frees T5, which a training run needs only once per prompt; later prompts would get zeros.</summary>
    public void UnloadT5()
    {
        T5?.Dispose();
        T5 = null;
        _t5Rows.Dispose();
    }

    /// <summary>Frees the models.</summary>
    public void Dispose()
    {
        Clip.Dispose();
        Clip2.Dispose();
        T5?.Dispose();
        _t5Rows.Dispose();
    }

    private static (Tensor Tokens, Tensor Pooled) EncodeClip(
        CLIPTextModelWithProjection model, WeightsOnDemand? weights, Tensor ids, int? clipSkip)
    {
        var layers = model.Config.NumHiddenLayers;
        if (clipSkip is < 0 || (clipSkip ?? 0) + 2 > layers + 1)
            throw new Foundation.LabException(
                $"clip_skip is {clipSkip}; this CLIP encoder has {layers} layers, so valid values are 0 to {layers - 1}.");
        using var held = weights?.Hold();
        var output = model.forward(ids, outputHiddenStates: true);
        return (output.HiddenStates[output.HiddenStates.Count - 2 - (clipSkip ?? 0)], output.TextEmbeds);
    }

    // Each text is reported once, with the encoders that cut it.
    private void WarnOfCuts(
        IReadOnlyList<string>? clip = null, IReadOnlyList<string>? clip2 = null, IReadOnlyList<string>? t5 = null, int? t5Length = null)
    {
        if (Warn is null)
            return;
        List<(string Name, ITextTokenizer? Tokenizer, int Window, IReadOnlyList<string> Prompts)> readers =
        [
            ("CLIP", Tokenizer, ClipWindow, clip ?? []), ("CLIP", Tokenizer2, ClipWindow, clip2 ?? []),
            ("T5", Tokenizer3, t5Length ?? DefaultSequenceLength, T5 is null ? [] : t5 ?? []),
        ];
        foreach (var prompt in readers.SelectMany(reader => reader.Prompts).Distinct(StringComparer.Ordinal)
            .Where(text => !_told.Contains(text)))
        {
            var cuts = readers.Where(reader => reader.Prompts.Contains(prompt, StringComparer.Ordinal))
                .Select(reader => (reader.Name, reader.Window, reader.Tokenizer!.Encode(prompt).Count)).Where(cut => cut.Count > cut.Window)
                .DistinctBy(cut => cut.Name).Select(cut => $"the {cut.Name} encoder reads the first {cut.Window} of its {cut.Count} tokens")
                .ToList();
            if (cuts.Count > 0 && _told.Add(prompt))
                Warn($"The prompt '{Foundation.ShownText.Line(prompt)}' is cut: {string.Join(", ", cuts)}.");
        }
    }

    private Tensor Ids(ITextTokenizer tokenizer, IReadOnlyList<string> prompts, int length, int vocabulary, Device device)
    {
        var ids = prompts.SelectMany(prompt => tokenizer.EncodePadded(prompt, length)).ToArray();
        if (ids.Max() is var largest && largest >= vocabulary)
            throw new Foundation.LabException(
                $"The {(tokenizer == Tokenizer3 ? "T5" : "CLIP")} tokenizer gives the token id {largest}, but its encoder knows "
                + $"{vocabulary} tokens (vocab_size): they do not belong together.");
        return tensor(ids, [prompts.Count, length], ScalarType.Int64, device);
    }

    private sealed class Held(IDisposable first, IDisposable second) : IDisposable
    {
        public void Dispose()
        {
            second.Dispose();
            first.Dispose();
        }
    }
}
