using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Miniature;

/// <summary>The words that the miniature's tokenizers know whole.</summary>
internal static class MiniatureVocabulary
{
    /// <summary>
    /// Rare words that name an individual in prompts. Now and then pre-training puts one before a subject, where it says nothing, so
    /// that the model takes them for what they are: names it does not know.
    /// </summary>
    public static IReadOnlyList<string> RareWords { get; } =
        ["gmc", "sks", "ohwx", "zwx", "vrk", "qxt", "plm", "wkz", "jhg", "xkc", "bzt", "nvq"];

    /// <summary>Words that prompts use beside those of captions.</summary>
    private static readonly string[] Others =
    [
        "the", "and", "by", "at", "of", "on", "in", "to", "is", "it", "my", "very", "style", "drawing", "image", "portrait", "detailed",
        "beautiful", "cute",
        "small", "big", "little", "animal", "toy", "night", "day", "sky", "sun", "sea", "tree", "flower", "house", "street", "blurry",
        "low", "quality",
    ];

    /// <summary>All words, in the order in which they were gathered, each once.</summary>
    public static IReadOnlyList<string> Words { get; } =
        [.. Captioner.Vocabulary.Concat(RareWords).Concat(Others).Distinct(StringComparer.Ordinal)];

    /// <summary>The parts that CLIP's tokenizer cuts the words into (<c>x-ray</c> becomes three), each once.</summary>
    internal static IReadOnlyList<string> ClipWordParts { get; } = [.. Words.SelectMany(ClipWords.Split).Distinct(StringComparer.Ordinal)];
}
