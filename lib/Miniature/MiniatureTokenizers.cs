using System.Text.Json;
using System.Text.Json.Nodes;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Miniature;

/// <summary>
/// The miniature's three tokenizers in the published formats: two of CLIP's kind (the second pads with <c>!</c>, as the real one) and
/// one of T5's, with windows of their own.
/// </summary>
internal sealed class MiniatureTokenizers
{
    private const float WordScore = -6;
    private const float CharacterScore = -12;
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // Normalisation rules that change nothing; transformers' converter takes no model without any. The length of a trie; its root, whose
    // children would
    // begin at unit 1; 255 empty units, which 256 are the least that SentencePiece takes; and a table of texts, which is one empty text.
    private static readonly byte[] NoRules = [0, 4, 0, 0, 0, 4, 0, 0, .. new byte[255 * sizeof(uint)], 0];

    private readonly BytePairVocabulary _clip = new(MiniatureVocabulary.ClipWordParts);
    private readonly SentencePieceModel _t5 = CreateT5();
    private readonly int _window;

    /// <summary>Learns the vocabularies.</summary>
    /// <param name="window">Length of each window, in tokens.</param>
    public MiniatureTokenizers(int window) => _window = window;

    /// <summary>Number of CLIP's token ids.</summary>
    public int ClipVocabSize => _clip.Tokens.Count;

    /// <summary>Id of CLIP's start of text; the end's is one more.</summary>
    public int ClipStartId => _clip.Tokens.Count - 2;

    /// <summary>Number of T5's token ids.</summary>
    public int T5VocabSize => _t5.Pieces.Count;

    /// <summary>Writes <c>tokenizer</c>, <c>tokenizer_2</c> and <c>tokenizer_3</c> into a model folder.</summary>
    /// <param name="folder">The model folder; created when missing.</param>
    public void Write(string folder)
    {
        WriteClip(Path.Combine(folder, "tokenizer"), BytePairVocabulary.EndOfText);
        WriteClip(Path.Combine(folder, "tokenizer_2"), "!");
        WriteT5(Path.Combine(folder, "tokenizer_3"));
    }

    /// <summary>Writes CLIP's first tokenizer alone, as the folder of a whole CLIP model has it.</summary>
    /// <param name="folder">The model folder.</param>
    public void WriteClip(string folder) => WriteClip(folder, BytePairVocabulary.EndOfText);

    private void WriteClip(string folder, string pad)
    {
        var vocabulary = new JsonObject(_clip.Tokens.Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id)));
        AtomicFile.WriteAllText(Path.Combine(folder, "vocab.json"), vocabulary.ToJsonString(new() { Encoder = Relaxed.Encoder }) + "\n");
        AtomicFile.WriteAllText(
            Path.Combine(folder, "merges.txt"),
            "#version: 0.2\n" + string.Concat(_clip.Merges.Select(merge => $"{merge.Left} {merge.Right}\n")));
        var added = new JsonObject();
        if (pad == "!")
            added["0"] = Token("!", normalized: false);
        added[$"{ClipStartId}"] = Token(BytePairVocabulary.StartOfText, normalized: true);
        added[$"{ClipStartId + 1}"] = Token(BytePairVocabulary.EndOfText, normalized: false);
        WriteConfigs(folder, new JsonObject
        {
            ["add_prefix_space"] = false,
            ["added_tokens_decoder"] = added,
            ["bos_token"] = BytePairVocabulary.StartOfText,
            ["clean_up_tokenization_spaces"] = true,
            ["do_lower_case"] = true,
            ["eos_token"] = BytePairVocabulary.EndOfText,
            ["errors"] = "replace",
            ["model_max_length"] = _window,
            ["pad_token"] = pad,
            ["tokenizer_class"] = "CLIPTokenizer",
            ["unk_token"] = BytePairVocabulary.EndOfText,
        });
    }

    private void WriteT5(string folder)
    {
        SentencePieceModelWriter.Write(_t5, Path.Combine(folder, "spiece.model"));
        var added = new JsonObject();
        for (var id = 0; id < 3; id++)
            added[$"{id}"] = Token(_t5.Pieces[id].Text, normalized: false);
        WriteConfigs(folder, new JsonObject
        {
            ["added_tokens_decoder"] = added,
            ["additional_special_tokens"] = new JsonArray(),
            ["clean_up_tokenization_spaces"] = true,
            ["eos_token"] = "</s>",
            ["extra_ids"] = 0,
            ["legacy"] = true,
            ["model_max_length"] = _window,
            ["pad_token"] = "<pad>",
            ["sp_model_kwargs"] = new JsonObject(),
            ["tokenizer_class"] = "T5Tokenizer",
            ["unk_token"] = "<unk>",
        });
    }

    private static void WriteConfigs(string folder, JsonObject config)
    {
        AtomicFile.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString(Relaxed) + "\n");
        var map = new JsonObject();
        foreach (var name in new[] { "bos_token", "eos_token", "pad_token", "unk_token" })
            if (config[name] is { } token)
                map[name] = token.DeepClone();
        AtomicFile.WriteAllText(Path.Combine(folder, "special_tokens_map.json"), map.ToJsonString(Relaxed) + "\n");
    }

    private static JsonObject Token(string content, bool normalized) => new()
    {
        ["content"] = content,
        ["lstrip"] = false,
        ["normalized"] = normalized,
        ["rstrip"] = false,
        ["single_word"] = false,
        ["special"] = true,
    };

    // Every word is one piece; what no word covers falls to characters, since a word's score is above that of its characters.
    private static SentencePieceModel CreateT5()
    {
        var pieces = new List<SentencePiece>
        {
            new("<pad>", 0, SentencePieceType.Control), new("</s>", 0, SentencePieceType.Control),
            new("<unk>", 0, SentencePieceType.Unknown),
        };
        pieces.AddRange(MiniatureVocabulary.Words.Select(word => new SentencePiece('\u2581' + word, WordScore)));
        pieces.Add(new SentencePiece("\u2581", CharacterScore));
        pieces.AddRange(Enumerable.Range('!', '~' - '!' + 1).Select(c => new SentencePiece(((char)c).ToString(), CharacterScore)));
        return new SentencePieceModel { Pieces = pieces, UnkId = 2, BosId = -1, EosId = 1, PadId = 0, PrecompiledCharsMap = NoRules };
    }
}
