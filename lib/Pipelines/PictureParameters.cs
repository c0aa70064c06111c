namespace Dreambooth.Lab.Pipelines;

/// <summary>The settings of a picture as A1111 writes them under <c>parameters</c> and Civitai reads them.</summary>
internal static class PictureParameters
{
    /// <summary>Writes them; a LoRA by the first ten digits of its SHA-256 (Civitai's AutoV2).</summary>
    /// <param name="record">What the picture was made with.</param>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height.</param>
    public static string Of(PictureRecord record, int width, int height)
    {
        // A LoRA is called by its file's name without the ending.
        (string Name, double Scale, string Hash)[] loras =
        [
            .. record.Loras.Zip(record.LoraScale, (lora, scale) => (
                NameOf(lora.Name), scale, lora.AutoV2)),
        ];
        var text = record.Prompt
            + string.Concat(loras.Select(lora => FormattableString.Invariant($" <lora:{lora.Name}:{lora.Scale}>")))
            + (record.NegativePrompt is { } negative ? $"\nNegative prompt: {negative}" : string.Empty)
            + FormattableString.Invariant(
                $"\nSteps: {record.Steps}, Sampler: Euler, CFG scale: {record.Guidance}, Seed: {record.Seed}, Size: {width}x{height}")
            + $", Model: {record.Model}";
        if (record.BatchSize > 1)
            text += FormattableString.Invariant($", Batch size: {record.BatchSize}, Batch pos: {record.BatchRow}");
        var hashes = string.Join(", ", loras.Select(lora => $"{lora.Name}: {lora.Hash}"));
        return hashes.Length == 0 ? text : $"{text}, Lora hashes: \"{hashes}\"";
    }

    private static string NameOf(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(name) : name;
}
