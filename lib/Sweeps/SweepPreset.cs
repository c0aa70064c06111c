using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// What the sweeps of a notebook are made with and how much they draw. Three presets share the same cells: <see cref="Tiny"/> for a check
/// in seconds, <see cref="Standard"/> for the miniature on two processor cores, <see cref="Full"/> for Stable Diffusion 3.5-medium on a
/// GPU.
/// </summary>
public sealed record SweepPreset
{
    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>The model's folder, relative to the project, or its name on the hub.</summary>
    public required string Model { get; init; }

    /// <summary>The trained LoRA: a file or a folder, relative to the project, or its name on the hub.</summary>
    public required string Lora { get; init; }

    /// <summary>
    /// The folder of the classifier that scores pictures; null where none knows what the model draws. Relative to the project.
    /// </summary>
    public string? Classifier { get; init; }

    /// <summary>The folder of the prompt lists; relative to the project.</summary>
    public string PromptLists { get; init; } = PromptList.Folder;

    /// <summary>The folder of the subject's real pictures; relative to the project.</summary>
    public string Subject { get; init; } = "data/cat_gmc";

    /// <summary>Where to compute: auto, cpu, cuda or cuda:N. Default auto.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>The precision to compute in: auto (bf16 on CUDA, else fp32), fp32, fp16 or bf16. Default auto.</summary>
    public string Dtype { get; init; } = "auto";

    /// <summary>Denoising steps of every picture; the tutorial's <c>--num_steps</c>.</summary>
    public int Steps { get; init; } = 28;

    /// <summary>Classifier-free guidance where it is not what varies; the tutorial's <c>--guidance</c>.</summary>
    public double Guidance { get; init; } = 4;

    /// <summary>Prompts of a family that are drawn, from the top of its list; at least 1.</summary>
    public int Prompts { get; init; } = 10;

    /// <summary>The seeds; the tutorial's <c>--seed</c>.</summary>
    public IReadOnlyList<ulong> Seeds { get; init; } = [0, 1];

    /// <summary>LoRA scales that are compared; the tutorial's <c>--lora_scale</c>.</summary>
    public IReadOnlyList<double> Scales { get; init; } = [0.4, 0.7, 1, 1.3];

    /// <summary>Guidance scales that are compared.</summary>
    public IReadOnlyList<double> Guidances { get; init; } = [1, 4, 7];

    /// <summary>Stages of a training that are compared, its end included (<see cref="Peft.LoraCheckpoints.Stages"/>).</summary>
    public int Stages { get; init; } = 4;

    /// <summary>Pictures drawn at a time.</summary>
    public int BatchSize { get; init; } = 5;

    /// <summary>The miniature with the fewest pictures and steps: shows that everything runs, not how well.</summary>
    public static SweepPreset Tiny { get; } = new()
    {
        Name = nameof(Tiny),
        Model = "data/sd3-mini",
        Lora = "data/gmc-cat-lora",
        Classifier = "data/sd3-mini-classifier",
        PromptLists = PromptList.MiniatureFolder,
        Steps = 4,
        Prompts = 2,
        Seeds = [0],
        Scales = [0.7, 1],
        Guidances = [1, 4],
        Stages = 2,
    };

    /// <summary>The miniature in full: at most 60 pictures a sweep, about a second each on two processor cores.</summary>
    public static SweepPreset Standard { get; } = Tiny with
    {
        Name = nameof(Standard),
        Steps = 20,
        Prompts = 10,
        Seeds = [0, 1],
        Scales = [0.4, 0.7, 1, 1.3],
        Guidances = [1, 4, 7],
        Stages = 4,
    };

    /// <summary>
    /// Stable Diffusion 3.5-medium at its own size on a GPU, with the tutorial's steps and guidance and the whole of each prompt list.
    /// </summary>
    public static SweepPreset Full { get; } = Standard with
    {
        Name = nameof(Full),
        Model = "stabilityai/stable-diffusion-3.5-medium",
        Lora = "outputs/sd3-lora",
        Classifier = null,
        PromptLists = PromptList.Folder,
        Prompts = 24,
        Steps = 28,
        Guidance = 7.5,
        Guidances = [3, 5, 7.5],
        BatchSize = 2,
    };

    /// <summary>The preset of a name.</summary>
    /// <param name="name">Tiny, Standard or Full, in any case.</param>
    /// <exception cref="LabException">There is no such preset.</exception>
    public static SweepPreset Named(string name)
    {
        SweepPreset[] all = [Tiny, Standard, Full];
        return all.FirstOrDefault(preset => preset.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new LabException(
                $"There is no preset '{ShownText.Line(name)}'; valid are {string.Join(", ", all.Select(preset => preset.Name))}.");
    }

    /// <summary>
    /// The same with another model or LoRA; what is left empty stays. The classifier knows the preset's own model only and is left out with
    /// another, whose prompts are those of <see cref="PromptList.Folder"/>.
    /// </summary>
    /// <param name="model">A model's folder, or empty.</param>
    /// <param name="lora">A LoRA file or folder, or empty.</param>
    public SweepPreset With(string? model = null, string? lora = null)
    {
        var own = string.IsNullOrWhiteSpace(model) || model == Model;
        return this with
        {
            Model = own ? Model : model!,
            Lora = string.IsNullOrWhiteSpace(lora) ? Lora : lora,
            Classifier = own ? Classifier : null,
            PromptLists = own ? PromptLists : PromptList.Folder,
        };
    }

    /// <summary>One of the prompt lists, written about another subject where that is asked for; the whole of it.</summary>
    /// <param name="family">recontextualization, art, property or validation.</param>
    /// <param name="subject">Identifier and class that stand in the place of "gmc cat".</param>
    /// <exception cref="LabException">There is no such list.</exception>
    public IReadOnlyList<string> PromptsOf(string family, string subject = PromptList.ListedSubject) =>
        PromptList.OfFamily(family, subject, PromptLists);

    /// <summary>
    /// The same with full paths: each is looked for from the current folder, then from the project's. A model or LoRA that is not there and
    /// has the form of a name on the hub is downloaded, unless it is in the hub's cache.
    /// </summary>
    /// <exception cref="HubException">It is a name on the hub, and cannot be had from there.</exception>
    public SweepPreset Located()
    {
        var project = ProjectFolder.Find();
        var hub = new HubResolver();
        return this with
        {
            Model = Locate(Model, project, name => hub.Model(name)),
            Lora = Locate(Lora, project, name => hub.Lora(name)),
            Classifier = Classifier is null ? null : ProjectFolder.Resolve(Classifier, project),
            Subject = ProjectFolder.Resolve(Subject, project),
        };
    }

    /// <summary>
    /// The axes of a sweep over prompts with the preset's LoRA, seeds, guidance and steps; a notebook changes what it asks about.
    /// </summary>
    /// <param name="prompts">The prompts; the first <see cref="Prompts"/> are taken.</param>
    public SweepAxes Axes(IEnumerable<string> prompts) => new()
    {
        Prompts = [.. prompts.Take(Prompts)],
        Seeds = Seeds,
        Loras = [new WeightedLora(Lora)],
        Guidances = [Guidance],
        Steps = Steps,
    };

    // What begins with one of the project's own folders, such as outputs/, is meant to lie there.
    private static string Locate(string name, string project, Func<string, string> hub)
    {
        var here = ProjectFolder.Resolve(name, project);
        return Path.Exists(here) || Path.IsPathRooted(name) || Directory.Exists(Path.Combine(project, name.Split('/', '\\')[0]))
            ? here
            : hub(name);
    }
}
