using System.Globalization;
using System.Text.Json;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>What a tokenizer's folder says about it: <c>tokenizer_config.json</c>, completed from <c>special_tokens_map.json</c>.</summary>
public sealed record TokenizerConfig
{
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
        using var config = Parse(path) ?? throw new LabException($"There is no tokenizer_config.json in '{folder}'. A tokenizer folder holds at least that file.");
        using var map = Parse(Path.Combine(folder, "special_tokens_map.json"));
        try
        {
            return Read(folder, config.RootElement, map?.RootElement ?? default);
        }
        catch (Exception error) when (error is InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new LabException($"'{path}' has an entry of an unexpected kind: {error.Message}", error);
        }
    }

    private static TokenizerConfig Read(string folder, JsonElement config, JsonElement map)
    {
        var (bos, eos, pad, unk) = (Named("bos_token"), Named("eos_token"), Named("pad_token"), Named("unk_token"));
        var added = new List<AddedToken>();
        if (config.TryGetProperty("added_tokens_decoder", out var decoder) && decoder.ValueKind == JsonValueKind.Object)
            foreach (var entry in decoder.EnumerateObject())
                added.Add(ReadToken(entry.Value) with { Id = int.Parse(entry.Name, CultureInfo.InvariantCulture) });
        foreach (var token in new[] { bos, eos, pad, unk }.OfType<AddedToken>().Concat(Additional(config)).Concat(Additional(map)))
            if (token.Content.Length > 0 && !added.Exists(a => a.Content == token.Content))
                added.Add(token);
        return new TokenizerConfig
        {
            Folder = folder,
            TokenizerClass = config.TryGetProperty("tokenizer_class", out var kind) ? kind.GetString() : null,
            ModelMaxLength = config.TryGetProperty("model_max_length", out var window) && window.ValueKind == JsonValueKind.Number
                ? (int)Math.Clamp(window.GetDouble(), 1, int.MaxValue)
                : int.MaxValue,
            BosToken = bos?.Content,
            EosToken = eos?.Content,
            PadToken = pad?.Content,
            UnkToken = unk?.Content,
            ExtraIds = config.TryGetProperty("extra_ids", out var extra) && extra.ValueKind == JsonValueKind.Number ? extra.GetInt32() : 0,
            AddedTokens = added,
        };

        AddedToken? Named(string name)
        {
            foreach (var source in new[] { config, map })
                if (source.ValueKind == JsonValueKind.Object && source.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
                    return ReadToken(value);
            return null;
        }
    }

    private static IEnumerable<AddedToken> Additional(JsonElement source)
    {
        if (source.ValueKind != JsonValueKind.Object || !source.TryGetProperty("additional_special_tokens", out var list) || list.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (var entry in list.EnumerateArray())
            yield return ReadToken(entry);
    }

    private static AddedToken ReadToken(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String)
            return new AddedToken { Content = value.GetString()! };
        return new AddedToken
        {
            Content = value.GetProperty("content").GetString() ?? throw new FormatException("a token's content is null"),
            LStrip = Flag("lstrip"),
            RStrip = Flag("rstrip"),
            Normalized = Flag("normalized"),
            SingleWord = Flag("single_word"),
        };

        bool Flag(string name) => value.TryGetProperty(name, out var flag) && flag.GetBoolean();
    }

    private static JsonDocument? Parse(string path)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw new LabException($"'{path}' is not a JSON object.");
        }
        catch (JsonException error)
        {
            throw new LabException($"'{path}' is not valid JSON: {error.Message}", error);
        }
    }
}
