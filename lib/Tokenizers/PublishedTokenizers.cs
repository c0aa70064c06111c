namespace Dreambooth.Lab.Tokenizers;

/// <summary>The tokenizer configs of the published Stable Diffusion 3 folders, for models that come without one.</summary>
internal static class PublishedTokenizers
{
    private const int ClipWindow = 77;
    private const int T5Window = 512;
    private const int Sentinels = 100;
    private const string Start = "<|startoftext|>";
    private const string End = "<|endoftext|>";

    /// <summary>The first CLIP tokenizer: pads with the end token.</summary>
    /// <param name="folder">The folder that the vocabulary is looked for in first, and that messages name.</param>
    public static TokenizerConfig Clip(string folder) => Clip(folder, End, []);

    /// <summary>The second CLIP tokenizer: pads with <c>!</c>, which is special there.</summary>
    /// <param name="folder">The folder that the vocabulary is looked for in first, and that messages name.</param>
    public static TokenizerConfig Clip2(string folder) => Clip(folder, "!", [new AddedToken { Content = "!", Id = 0 }]);

    /// <summary>T5's tokenizer, with its 100 sentinels.</summary>
    /// <param name="folder">The folder that the vocabulary is looked for in first, and that messages name.</param>
    public static TokenizerConfig T5(string folder) => new()
    {
        Folder = folder,
        TokenizerClass = "T5TokenizerFast",
        ModelMaxLength = T5Window,
        EosToken = "</s>",
        PadToken = "<pad>",
        UnkToken = "<unk>",
        ExtraIds = Sentinels,
        AddedTokens =
        [
            new AddedToken { Content = "<pad>", Id = 0 },
            new AddedToken { Content = "</s>", Id = 1 },
            new AddedToken { Content = "<unk>", Id = 2 },
            .. Enumerable.Range(0, Sentinels)
                .Select(i => new AddedToken { Content = $"<extra_id_{Sentinels - 1 - i}>", Id = 32000 + i, LStrip = true, RStrip = true }),
        ],
    };

    private static TokenizerConfig Clip(string folder, string pad, IReadOnlyList<AddedToken> first) => new()
    {
        Folder = folder,
        TokenizerClass = "CLIPTokenizer",
        ModelMaxLength = ClipWindow,
        BosToken = Start,
        EosToken = End,
        PadToken = pad,
        UnkToken = End,
        AddedTokens =
            [.. first, new AddedToken { Content = Start, Id = 49406, Normalized = true }, new AddedToken { Content = End, Id = 49407 }],
    };
}
