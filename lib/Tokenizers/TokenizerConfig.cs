using System.Globalization;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>What a tokenizer's folder says about it: <c>tokenizer_config.json</c>, completed from <c>special_tokens_map.json</c>.</summary>
public sealed record TokenizerConfig
{
    private const int LeastWindow = 2;
    private const int MostExtraIds = 100_000;

    /// <summary>The folder that the config was read from, for messages.</summary>
    public required string Folder { get; init; }

    /// <summary>Value of <c>tokenizer_class</c>, or null.</summary>
    public string? TokenizerClass { get; init; }

    /// <summary>Window length in tokens; <see cref="int.MaxValue"/> when the config names none.</summary>
    public int ModelMaxLength { get; init; } = int.MaxValue;

    /// <summary>The token that starts a row, or null.</summary>
    public string? BosToken { get; init; }

    /// <summary>The token that ends a row, or null.</summary>
    public string? EosToken { get; init; }

    /// <summary>The token that fills a row, or null.</summary>
    public string? PadToken { get; init; }

    /// <summary>The token for what the vocabulary lacks, or null.</summary>
    public string? UnkToken { get; init; }

    /// <summary>Number of sentinel tokens (<c>extra_ids</c>) of a T5 tokenizer.</summary>
    public int ExtraIds { get; init; }

    /// <summary>Tokens that are cut out of the text before segmentation.</summary>
    public IReadOnlyList<AddedToken> AddedTokens { get; init; } = [];

    /// <summary>Reads the config of a tokenizer's folder.</summary>
    /// <param name="folder">A folder such as <c>tokenizer_2</c> of a model.</param>
    /// <returns>The config.</returns>
    /// <exception cref="LabException">A file is missing or is not the JSON that is expected.</exception>
    public static TokenizerConfig Read(string folder)
    {
        var path = Path.Combine(folder, "tokenizer_config.json");
        if (!File.Exists(path))
            throw new LabException($"There is no tokenizer_config.json in '{folder}'. A tokenizer folder holds at least that file.");
        var map = Path.Combine(folder, "special_tokens_map.json");
        JsonField[] sources = File.Exists(map) ? [JsonField.ReadFile(path), JsonField.ReadFile(map)] : [JsonField.ReadFile(path)];
        var config = sources[0];
        var (bos, eos, pad, unk) = (Named("bos_token"), Named("eos_token"), Named("pad_token"), Named("unk_token"));
        List<AddedToken> added = config.Find("added_tokens_decoder") is { } decoder
            ? [.. decoder.Entries().Select(entry => ReadAdded(entry.Key, entry.Value))]
            : [];
        foreach (var token in new[] { bos, eos, pad, unk }.OfType<AddedToken>().Concat(sources.SelectMany(Additional)))
            if (token.Content.Length > 0 && !added.Exists(a => a.Content == token.Content))
                added.Add(token);
        return new TokenizerConfig
        {
            Folder = folder,
            TokenizerClass = config.Find("tokenizer_class")?.Text(),
            ModelMaxLength = config.Find("model_max_length") is { } window ? ReadWindow(window) : int.MaxValue,
            BosToken = bos?.Content,
            EosToken = eos?.Content,
            PadToken = pad?.Content,
            UnkToken = unk?.Content,
            ExtraIds = config.Find("extra_ids")?.Int(0, MostExtraIds) ?? 0,
            AddedTokens = added,
        };

        AddedToken? Named(string name) =>
            sources.Select(source => source.Find(name)).OfType<JsonField>().Select(ReadToken).FirstOrDefault();
    }

    // Published tokenizers without a limit say 1e30.
    private static int ReadWindow(JsonField value) =>
        value.Number() is >= LeastWindow and var window
            ? (int)Math.Min(window, int.MaxValue)
            : throw value.Wrong($"a number from {LeastWindow}");

    private static AddedToken ReadAdded(string id, JsonField value) =>
        int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? ReadToken(value) with { Id = number }
            : throw new LabException($"{value.Source}: added_tokens_decoder has the key '{ShownText.Line(id)}'; valid is a token's id.");

    private static IEnumerable<AddedToken> Additional(JsonField source) =>
        source.Find("additional_special_tokens") is not { } tokens ? []
        : tokens.IsObject ? tokens.Entries().Select(entry => ReadToken(entry.Value)) : tokens.Items().Select(ReadToken);

    private static AddedToken ReadToken(JsonField value)
    {
        if (value.IsText)
            return new AddedToken { Content = value.Text() };
        if (!value.IsObject)
            throw value.Wrong("a text, or an object with content");
        return new AddedToken
        {
            Content = value.Get("content").Text(),
            LStrip = Flag("lstrip"),
            RStrip = Flag("rstrip"),
            Normalized = Flag("normalized"),
            SingleWord = Flag("single_word"),
        };

        bool Flag(string name) => value.Find(name)?.Truth() == true;
    }
}
