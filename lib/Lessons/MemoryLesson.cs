using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Lessons;

/// <summary>The runs whose memory notebook 01 predicts and measures. <see cref="NotebookPreset.Memory"/> makes it.</summary>
public sealed record MemoryLesson
{
    /// <summary>The training whose memory is measured; paths are absolute.</summary>
    public required DreamBoothConfig Config { get; init; }

    /// <summary>Optimizer steps of a measured run.</summary>
    public required int Steps { get; init; }

    /// <summary>The picture that is generated at its end; its denoising steps do not change the peak.</summary>
    public required GenerationRequest Sample { get; init; }

    /// <summary>The runs that are compared: what differs from <see cref="Config"/>, and the configuration.</summary>
    public required IReadOnlyList<(string Change, DreamBoothConfig Config)> Trials { get; init; }

    internal static MemoryLesson Of(NotebookPreset preset)
    {
        var isTiny = preset.Size == PresetSize.Tiny;
        var recipe = preset.Recipe();
        var config = isTiny ? recipe with { TrainBatchSize = 2 } : recipe;
        return new MemoryLesson
        {
            Config = config,
            Steps = isTiny ? 1 : 3,
            Sample = new GenerationRequest
            {
                Prompts = [config.InstancePrompt],
                NumInferenceSteps = isTiny ? 1 : 4,
                GuidanceScale = 4,
                Seed = 0,
            },
            Trials =
            [
                ("as it is", config),
                .. preset.Size switch
                {
                    PresetSize.Tiny => [("resolution 64", config with { Resolution = 64 })],
                    PresetSize.Standard =>
                    [
                        ("batch 1", config with { TrainBatchSize = 1 }),
                        ("batch 8", config with { TrainBatchSize = 8 }),
                        ("resolution 64", config with { Resolution = 64 }),
                        ("rank 64", config with { Rank = 64 }),
                        ("no CLIP LoRA", config with { TrainTextEncoder = false }),
                        ("attention only, rank 4", config with { Rank = 4, LoraLayers = null }),
                    ],
                    _ => (ReadOnlySpan<(string, DreamBoothConfig)>)
                    [
                        ("batch 2", config with { TrainBatchSize = 2 }),
                        ("resolution 1024", config with { Resolution = 1024 }),
                        ("rank 64", config with { Rank = 64 }),
                        ("no CLIP LoRA", config with { TrainTextEncoder = false }),
                    ],
                },
            ],
        };
    }
}
