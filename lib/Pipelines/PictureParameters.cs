using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Schedulers;

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
                $"\nSteps: {record.Steps}, Sampler: {SamplerOf(record.Sampling)}, CFG scale: {record.Guidance}, Seed: {record.Seed}, ")
            + FormattableString.Invariant($"Size: {width}x{height}")
            + $", Model: {Quoted(record.Model)}";
        if (record.Strength is { } strength)
            text += FormattableString.Invariant($", Denoising strength: {strength}");
        if (record.BatchSize > 1)
            text += FormattableString.Invariant($", Batch size: {record.BatchSize}, Batch pos: {record.BatchRow}");
        var hashes = string.Join(", ", loras.Select(lora => $"{lora.Name}: {lora.Hash}"));
        return hashes.Length == 0 ? text : $"{text}, Lora hashes: \"{hashes}\"";
    }

    // A1111's names; where it has none, alike.
    private static string SamplerOf(SamplerConfig sampling)
    {
        var name = sampling.Kind switch
        {
            SamplerKind.Euler => "Euler",
            SamplerKind.EulerStochastic => "Euler stochastic",
            SamplerKind.Heun => "Heun",
            SamplerKind.DpmPlusPlus2M => "DPM++ 2M",
            SamplerKind.DpmPlusPlus2MSde => "DPM++ 2M SDE",
            SamplerKind.DpmPlusPlus3M => "DPM++ 3M",
            SamplerKind.DpmPlusPlus3MSde => "DPM++ 3M SDE",
            SamplerKind.UniPC => "UniPC",
            SamplerKind.UniPC3 => "UniPC 3",
            _ => "LCM",
        };
        return sampling.Sigmas == SigmaSchedule.Model ? name : $"{name}, Schedule type: {sampling.Sigmas}";
    }

    // What separates the names of LoRA cannot stand in one.
    private static string NameOf(string name) => string.Concat(
        (name.EndsWith(".safetensors", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(name) : name)
            .Where(letter => !":,<>\"\n".Contains(letter, StringComparison.Ordinal)));

    // As A1111 does where a value has what separates values.
    private static string? Quoted(string? value) =>
        value?.AsSpan().IndexOfAny(',', ':', '\n') >= 0 ? JsonLines.Line(value) : value;
}
