using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// What the memory notebook measures. Three presets share the same cells: <see cref="Tiny"/> for a check in seconds, <see cref="Standard"/> for the
/// miniature on two processor cores, <see cref="Full"/> for Stable Diffusion 3.5-medium on a GPU.
/// </summary>
public sealed record ProfilePreset
{
    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>The training whose memory is measured; paths are full ones.</summary>
    public required DreamBoothConfig Config { get; init; }

    /// <summary>Optimizer steps of a measured run.</summary>
    public int Steps { get; init; } = 3;

    /// <summary>Denoising steps of the picture that is drawn at its end; they do not change the peak.</summary>
    public int SampleSteps { get; init; } = 4;

    /// <summary>The runs whose prediction is compared with a measurement: what is different from <see cref="Config"/>, and the configuration.</summary>
    public required IReadOnlyList<(string Change, DreamBoothConfig Config)> Trials { get; init; }

    /// <summary>The miniature with one step and two trials: shows that everything runs.</summary>
    public static ProfilePreset Tiny
    {
        get
        {
            var config = Recipe("gmc-cat.json") with { TrainBatchSize = 2 };
            return new() { Name = nameof(Tiny), Config = config, Steps = 1, SampleSteps = 1, Trials = [("as it is", config), ("resolution 64", config with { Resolution = 64 })] };
        }
    }

    /// <summary>The miniature's recipe and six changes of it.</summary>
    public static ProfilePreset Standard
    {
        get
        {
            var config = Recipe("gmc-cat.json");
            return new()
            {
                Name = nameof(Standard),
                Config = config,
                Trials =
                [
                    ("as it is", config),
                    ("batch 1", config with { TrainBatchSize = 1 }),
                    ("batch 8", config with { TrainBatchSize = 8 }),
                    ("resolution 64", config with { Resolution = 64 }),
                    ("rank 64", config with { Rank = 64 }),
                    ("no CLIP LoRA", config with { TrainTextEncoder = false }),
                    ("attention only, rank 4", config with { Rank = 4, LoraLayers = null }),
                ],
            };
        }
    }

    /// <summary>The tutorial's training of the real model, and changes of it, in bf16 on a GPU.</summary>
    public static ProfilePreset Full
    {
        get
        {
            var config = Recipe("sd35-medium-tutorial.json") with { PretrainedModelNameOrPath = Path.Combine(ProjectFolder.Find(), "models", "sd35m"), MixedPrecision = MixedPrecision.Bf16 };
            return new()
            {
                Name = nameof(Full),
                Config = config,
                Trials =
                [
                    ("as it is", config),
                    ("batch 2", config with { TrainBatchSize = 2 }),
                    ("resolution 1024", config with { Resolution = 1024 }),
                    ("rank 64", config with { Rank = 64 }),
                    ("no CLIP LoRA", config with { TrainTextEncoder = false }),
                ],
            };
        }
    }

    /// <summary>The preset of a name.</summary>
    /// <param name="name">Tiny, Standard or Full, in any case.</param>
    /// <exception cref="LabException">There is no such preset.</exception>
    public static ProfilePreset Named(string name) => NamedPreset.Find(name, (nameof(Tiny), () => Tiny), (nameof(Standard), () => Standard), (nameof(Full), () => Full));

    /// <summary>The same with another model or another folder of pictures; what is left empty stays.</summary>
    /// <param name="model">A model's folder, relative to the current folder or the project.</param>
    /// <param name="photos">A folder of pictures.</param>
    public ProfilePreset With(string model = "", string photos = "")
    {
        var project = ProjectFolder.Find();
        DreamBoothConfig Change(DreamBoothConfig config) => config with
        {
            PretrainedModelNameOrPath = string.IsNullOrWhiteSpace(model) ? config.PretrainedModelNameOrPath : ProjectFolder.Resolve(model, project),
            InstanceDataDir = string.IsNullOrWhiteSpace(photos) ? config.InstanceDataDir : ProjectFolder.Resolve(photos, project),
        };
        return this with { Config = Change(Config), Trials = [.. Trials.Select(trial => (trial.Change, Change(trial.Config)))] };
    }

    /// <summary>The picture that a measured run draws.</summary>
    public GenerationRequest Sample => new() { Prompts = [Config.InstancePrompt], NumInferenceSteps = SampleSteps, GuidanceScale = 4, Seed = 0 };

    private static DreamBoothConfig Recipe(string file)
    {
        var project = ProjectFolder.Find();
        var path = Path.Combine(project, "data", "recipes", file);
        var config = DreamBoothConfig.Read(path);
        return config with
        {
            PretrainedModelNameOrPath = ProjectFolder.Resolve(config.PretrainedModelNameOrPath, project),
            InstanceDataDir = ProjectFolder.Resolve(config.InstanceDataDir, project),
        };
    }
}
