namespace Dreambooth.Lab.Sweeps;

/// <summary>Model, LoRA and extent of a <see cref="SweepStudy"/>.</summary>
public sealed record StudyConfig
{
    /// <summary>The model: a folder, a file, or its name on the hub.</summary>
    public required string Model { get; init; }

    /// <summary>The trained LoRA: a file, a folder, or its name on the hub.</summary>
    public required string Lora { get; init; }

    /// <summary>Where to compute: auto, cpu, cuda or cuda:N. Default auto.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The precision to compute in: auto (bf16 on CUDA, else fp32), fp32, fp16 or bf16. Default auto.</summary>
    public string Dtype { get; init; } = "auto";

    /// <summary>Denoising steps of every picture, 1 to 1000, default 28; the tutorial's <c>--num_steps</c>.</summary>
    public int Steps { get; init; } = 28;

    /// <summary>Classifier-free guidance where it is not what varies, default 4; the tutorial's <c>--guidance</c>.</summary>
    public double Guidance { get; init; } = 4;

    /// <summary>Number of prompts from the top of a list, at least 1, default 10.</summary>
    public int Prompts { get; init; } = 10;

    /// <summary>The seeds; the tutorial's <c>--seed</c>.</summary>
    public IReadOnlyList<ulong> Seeds { get; init; } = [0, 1];

    /// <summary>LoRA scales that are compared; the tutorial's <c>--lora_scale</c>.</summary>
    public IReadOnlyList<double> Scales { get; init; } = [0.4, 0.7, 1, 1.3];

    /// <summary>Guidance scales that are compared.</summary>
    public IReadOnlyList<double> Guidances { get; init; } = [1, 4, 7];

    /// <summary>Stages of a training that are compared, its end included (<see cref="Peft.LoraCheckpoints.Stages"/>).</summary>
    public int Stages { get; init; } = 4;

    /// <summary>Pictures that are generated at a time, at least 1, default 5.</summary>
    public int BatchSize { get; init; } = 5;

    /// <summary>
    /// The part of each sweep that this process generates, as <c>0/4</c>, or <c>auto</c>; null, the default, for all; the
    /// command line's <c>--shard</c>, which the tutorial has not. Processes with different parts share the study's folder.
    /// </summary>
    public string? Shard { get; init; }

    /// <summary>Leave out of the pictures' files what they were made with, default false; <c>results.jsonl</c> tells it.</summary>
    public bool NoMetadata { get; init; }

    /// <summary>The axes of a sweep over prompts with this LoRA and these seeds, guidance and steps.</summary>
    /// <param name="prompts">The prompts; the first <see cref="Prompts"/> are taken.</param>
    public SweepAxes Axes(IEnumerable<string> prompts) => new()
    {
        Prompts = [.. prompts.Take(Prompts)],
        Seeds = Seeds,
        Loras = [new WeightedLora(Lora)],
        Guidances = [Guidance],
        Steps = Steps,
    };
}
