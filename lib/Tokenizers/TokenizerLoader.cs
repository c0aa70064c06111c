using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Tokenizers;

/// <summary>Loads the tokenizer of a model's subfolder, of the kind that its config names.</summary>
public static class TokenizerLoader
{
    /// <summary>Loads a tokenizer.</summary>
    /// <param name="folder">A folder such as <c>tokenizer</c>, <c>tokenizer_2</c> or <c>tokenizer_3</c> of a model folder.</param>
    /// <param name="files">Where vocabulary files are looked for when that folder has none; null for the environment's settings.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="LabException">A file is missing or malformed, or the config names a kind that is not known here.</exception>
    public static ITextTokenizer Load(string folder, TokenizerFiles? files = null) => Load(TokenizerConfig.Read(folder), files);

    /// <summary>Loads the tokenizer of a config.</summary>
    /// <param name="config">The config; its folder is looked in first.</param>
    /// <param name="files">Where vocabulary files are looked for when that folder has none; null for the environment's settings.</param>
    /// <returns>The tokenizer.</returns>
    /// <exception cref="LabException">A file is missing or malformed, or the config names a kind that is not known here.</exception>
    public static ITextTokenizer Load(TokenizerConfig config, TokenizerFiles? files = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        var folder = config.Folder;
        files ??= new TokenizerFiles();
        switch (config.TokenizerClass)
        {
            case "CLIPTokenizer" or "CLIPTokenizerFast":
                var found = files.Find(folder, "clip", "vocab.json", "merges.txt");
                return new ClipTokenizer(config, found[0], found[1]);
            case "T5Tokenizer" or "T5TokenizerFast":
                return new T5Tokenizer(config, files.Find(folder, "t5", "spiece.model")[0]);
            default:
                throw new LabException(
                    $"'{Path.Combine(folder, "tokenizer_config.json")}' names the tokenizer class "
                    + $"'{ShownText.Line(config.TokenizerClass ?? "(none)")}'; known are CLIPTokenizer and T5Tokenizer.");
        }
    }
}
