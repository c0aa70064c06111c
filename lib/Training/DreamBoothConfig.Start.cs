using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>The LoRA that a training begins with.</content>
public sealed partial record DreamBoothConfig
{
    private const int HexDigits = 64;

    /// <summary>
    /// A LoRA to begin with, a file of any layout or the folder that holds it; null (the default): a new one. Rank, alpha, variant and
    /// layers are the file's; an option of theirs that is not at its default must say the same. Flag <c>--init_lora</c>.
    /// </summary>
    [Flag(
        LoraGroup,
        "LoRA to begin with: a file of any layout, or the folder of a training. Rank, alpha, variant and layers are taken from it.",
        Placeholder = "FILE|FOLDER", DefaultText = "a new one")]
    public string? InitLora { get; init; }

    /// <summary>
    /// SHA-256 that the file of <see cref="InitLora"/> must have, in hexadecimal; null: any. A run's own recipe has it. Flag
    /// <c>--init_lora_sha256</c>.
    /// </summary>
    [Flag(LoraGroup, "SHA-256 that init_lora's file must have; a run's recipe.json says it.", Placeholder = "HEX", DefaultText = "any")]
    public string? InitLoraSha256 { get; init; }

    private IEnumerable<string> StartErrors()
    {
        if (InitLora is null && InitLoraSha256 is not null)
            yield return "init_lora_sha256 needs init_lora: it is the fingerprint of that file.";
        if (InitLora is not null && string.IsNullOrWhiteSpace(InitLora))
            yield return "init_lora is empty; it must name a LoRA.";
        if (InitLoraSha256 is { } hash && (hash.Length != HexDigits || !hash.All(char.IsAsciiHexDigit)))
            yield return $"init_lora_sha256 is '{ShownText.Line(hash, HexDigits + 1)}'; valid are {HexDigits} hexadecimal digits.";
    }
}
