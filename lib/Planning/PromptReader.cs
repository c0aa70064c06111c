using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tokenizers;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>A tokenizer with the tokens that its encoder reads, special ones included.</summary>
/// <param name="Name">CLIP-L, CLIP-G or T5.</param>
/// <param name="Tokenizer">The tokenizer.</param>
/// <param name="Trained">Tokens that are read in training.</param>
/// <param name="Generated">Tokens that <c>generate</c> reads where nothing else is asked for.</param>
internal sealed record PromptReader(string Name, ITextTokenizer Tokenizer, int Trained, int Generated)
{
    private const int ClipWindow = 77;

    /// <summary>Whether it is one of CLIP's.</summary>
    public bool IsClip => Name != T5;

    private static string T5 => "T5";

    /// <summary>The tokenizers of a model; no weights are read, only their headers.</summary>
    /// <param name="config">The training.</param>
    /// <param name="model">The model's folder or file; null takes the published tokenizers.</param>
    /// <returns>By encoder; empty where there is no model and no folder of tokenizers is named.</returns>
    /// <exception cref="LabException">A file is missing or malformed.</exception>
    public static IReadOnlyList<PromptReader> Open(DreamBoothConfig config, string? model)
    {
        if (model is null)
            return Published(config);
        using var sources = PipelineSources.Open(model, new PipelineOptions
        {
            TokenizersFolder = config.Tokenizers,
            Variant = config.Variant,
            ComponentsFolder = config.Components,
        });
        int[] windows =
        [
            sources.Tokenizer.ModelMaxLength, sources.Tokenizer2.ModelMaxLength,
            sources.Clip.Config.MaxPositionEmbeddings, sources.Clip2.Config.MaxPositionEmbeddings,
        ];
        return Of(config, sources.Tokenizer, sources.Tokenizer2, sources.Tokenizer3, windows.Min());
    }

    private static List<PromptReader> Published(DreamBoothConfig config)
    {
        if (config.Tokenizers is null && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(TokenizerFiles.Variable)))
            return [];
        var files = new TokenizerFiles(config.Tokenizers);
        return Of(
            config, TokenizerLoader.Load(PublishedTokenizers.Clip("tokenizer"), files),
            TokenizerLoader.Load(PublishedTokenizers.Clip2("tokenizer_2"), files),
            TokenizerLoader.Load(PublishedTokenizers.T5("tokenizer_3"), files), ClipWindow);
    }

    private static List<PromptReader> Of(
        DreamBoothConfig config, ITextTokenizer clip, ITextTokenizer clip2, ITextTokenizer? t5, int window)
    {
        List<PromptReader> readers = [new("CLIP-L", clip, window, window), new("CLIP-G", clip2, window, window)];
        if (t5 is not null)
        {
            readers.Add(new(
                T5, t5, Math.Min(config.MaxSequenceLength, t5.ModelMaxLength),
                Math.Min(PromptEncoder.DefaultMaxSequenceLength, t5.ModelMaxLength)));
        }

        return readers;
    }

    /// <summary>The tokens of a text, without those that mark beginning and end.</summary>
    /// <param name="text">Any text.</param>
    public IReadOnlyList<int> Tokens(string text)
    {
        var empty = Tokenizer.Encode(string.Empty);
        var all = Tokenizer.Encode(text);
        return [.. all.Skip(empty.Count - 1).Take(all.Count - empty.Count)];
    }

    /// <summary>The spellings of a text's tokens, as the vocabulary has them: <c>gm c&lt;/w&gt;</c>, <c>▁g mc</c>.</summary>
    /// <param name="text">Any text.</param>
    public string Spelled(string text) => string.Join(' ', Tokens(text).Select(id => ShownText.Line(Tokenizer.Token(id))));
}
