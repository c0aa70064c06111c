using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// A training of one's own subject, as the notebook about it steps through. Three presets share the same cells: <see cref="Tiny"/> for a check in
/// seconds, <see cref="Standard"/> for the miniature on two processor cores, <see cref="Full"/> for Stable Diffusion 3.5-medium on a GPU.
/// </summary>
public sealed record SubjectPreset
{
    private const string Folder = "outputs/notebooks/07-your-own-subject";

    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>The photos as they came from the camera; a full path.</summary>
    public required string Photos { get; init; }

    /// <summary>The training; paths are full ones. It learns from <see cref="Prepared"/>.</summary>
    public required DreamBoothConfig Config { get; init; }

    /// <summary>Denoising steps of the pictures that are drawn at the end.</summary>
    public int SampleSteps { get; init; } = 20;

    /// <summary>Guidance of these pictures.</summary>
    public double Guidance { get; init; } = 4;

    /// <summary>The folder of the photos that are trained on, with their captions.</summary>
    public string Prepared => Path.Combine(Config.OutputDir, "photos");

    /// <summary>The miniature with two steps: shows that everything runs.</summary>
    public static SubjectPreset Tiny => Standard with { Name = nameof(Tiny), Config = Of(Recipe(), 2) with { NumClassImages = 1, TrainBatchSize = 1, LrWarmupSteps = 0 }, SampleSteps = 3 };

    /// <summary>The miniature with a few dozen steps: half a minute on two processor cores, and a subject that begins to show.</summary>
    public static SubjectPreset Standard => new() { Name = nameof(Standard), Photos = Path.Combine(ProjectFolder.Find(), "data", "cat_gmc"), Config = Of(Recipe(), 90) with { NumClassImages = 8, LrWarmupSteps = 5 } };

    /// <summary>The tutorial's training of the real model, in bf16 on a GPU.</summary>
    public static SubjectPreset Full => new()
    {
        Name = nameof(Full),
        Photos = Path.Combine(ProjectFolder.Find(), "data", "cat_gmc"),
        Config = Of(DreamBoothConfig.Sd35MediumTutorial, DreamBoothConfig.Sd35MediumTutorial.MaxTrainSteps!.Value) with { MixedPrecision = MixedPrecision.Bf16, ValidationPrompt = null },
        SampleSteps = 28,
        Guidance = 7.5,
    };

    /// <summary>The preset of a name.</summary>
    /// <param name="name">Tiny, Standard or Full, in any case.</param>
    /// <exception cref="LabException">There is no such preset.</exception>
    public static SubjectPreset Named(string name) => NamedPreset.Find(name, (nameof(Tiny), () => Tiny), (nameof(Standard), () => Standard), (nameof(Full), () => Full));

    /// <summary>The same for another subject; what is left empty stays.</summary>
    /// <param name="model">A model's folder or its name on the hub.</param>
    /// <param name="photos">The folder of the photos.</param>
    /// <param name="identifier">The rare word that shall name the subject.</param>
    /// <param name="kind">What it is: cat, dog, backpack.</param>
    public SubjectPreset With(string model = "", string photos = "", string identifier = "gmc", string kind = "cat")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(identifier);
        ArgumentException.ThrowIfNullOrWhiteSpace(kind);
        var project = ProjectFolder.Find();
        return this with
        {
            Photos = string.IsNullOrWhiteSpace(photos) ? Photos : ProjectFolder.Resolve(photos, project),
            Config = Config with
            {
                PretrainedModelNameOrPath = string.IsNullOrWhiteSpace(model) ? Config.PretrainedModelNameOrPath : Directory.Exists(ProjectFolder.Resolve(model, project)) ? ProjectFolder.Resolve(model, project) : model,
                InstancePrompt = $"a photo of {identifier} {kind}",
                ClassPrompt = $"a photo of a {kind}",
            },
        };
    }

    /// <summary>Pictures of the subject to draw when the training is done.</summary>
    public GenerationRequest Sample => new()
    {
        Prompts = [Config.InstancePrompt, $"{Config.InstancePrompt} on a beach", $"{Config.InstancePrompt} in the snow", Config.ClassPrompt!],
        NumInferenceSteps = SampleSteps,
        GuidanceScale = Guidance,
        Seed = 2,
    };

    private static DreamBoothConfig Recipe() => DreamBoothConfig.Read(Path.Combine(ProjectFolder.Find(), "data", "recipes", "gmc-cat.json"));

    private static DreamBoothConfig Of(DreamBoothConfig config, int steps)
    {
        var project = ProjectFolder.Find();
        var output = Path.GetFullPath(Folder, project);
        var model = ProjectFolder.Resolve(config.PretrainedModelNameOrPath, project);
        return config with
        {
            PretrainedModelNameOrPath = Directory.Exists(model) ? model : config.PretrainedModelNameOrPath,
            InstanceDataDir = Path.Combine(output, "photos"),
            ClassDataDir = Path.Combine(output, "class"),
            OutputDir = output,
            MaxTrainSteps = steps,
        };
    }
}
