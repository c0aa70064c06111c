using Dreambooth.Lab.Evaluation;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Lessons;

/// <summary>
/// The notebooks' <c>preset</c>: a model, a LoRA, photos, and the extent of the work. Each notebook uses what it needs: <see cref="Study"/>
/// for pictures, <see cref="Training"/>, <see cref="Memory"/>, <see cref="OwnSubject"/>. Models and LoRA are full paths, or names on the
/// hub.
/// </summary>
public sealed record NotebookPreset
{
    /// <summary>How much, and with which model.</summary>
    public required PresetSize Size { get; init; }

    /// <summary>With which model and LoRA pictures are generated, and how many.</summary>
    public required StudyConfig Study { get; init; }

    /// <summary>The folder of the subject's photos.</summary>
    public required string Photos { get; init; }

    /// <summary>The folder of the classifier that knows the model's pictures and the photos; null where none does.</summary>
    public string? Classifier { get; init; }

    /// <summary>
    /// The encoder that judges fidelity to the subject where no classifier does: DINO or DINOv2, a folder or its name on the hub.
    /// </summary>
    public string Dino { get; init; } = SubjectEncoders.DefaultDino;

    /// <summary>The encoder that judges adherence to the prompt where no classifier does: CLIP, a folder or its name on the hub.</summary>
    public string Clip { get; init; } = SubjectEncoders.DefaultClip;

    /// <summary>The folder of the prompt lists; relative to the project.</summary>
    public string PromptLists { get; init; } = PromptList.Folder;

    /// <summary>The model's folder, or its name on the hub.</summary>
    public string Model => Study.Model;

    /// <summary>Number of pictures in the folder of the photos.</summary>
    public int PhotoCount => Directory.Exists(Photos) ? Directory.EnumerateFiles(Photos).Count(PictureName.Is) : 0;

    /// <summary>The miniature with the fewest pictures and steps.</summary>
    public static NotebookPreset Tiny => Standard with
    {
        Size = PresetSize.Tiny,
        Study = Standard.Study with { Steps = 4, Prompts = 2, Seeds = [0], Scales = [0.7, 1], Guidances = [1, 4], Stages = 2 },
    };

    /// <summary>The miniature: at most 60 pictures a sweep (130 in notebook 06), about a second each on two processor cores.</summary>
    public static NotebookPreset Standard => new()
    {
        Size = PresetSize.Standard,
        Study = new StudyConfig { Model = Located("data/sd3-mini"), Lora = Located("data/gmc-cat-lora"), Steps = 12 },
        Photos = Located("data/cat_gmc"),
        Classifier = Located("data/sd3-mini-classifier"),
        PromptLists = PromptList.MiniatureFolder,
    };

    /// <summary>Stable Diffusion 3.5-medium with the tutorial's steps and guidance, and the whole of each prompt list.</summary>
    public static NotebookPreset Full => new()
    {
        Size = PresetSize.Full,
        Study = new StudyConfig
        {
            Model = Located(DreamBoothConfig.Sd35MediumTutorial.PretrainedModelNameOrPath),
            Lora = Located(DreamBoothConfig.Sd35MediumTutorial.OutputDir),
            Prompts = 24,
            Guidance = 7.5,
            Guidances = [3, 5, 7.5],
            BatchSize = 2,
        },
        Photos = Located(DreamBoothConfig.Sd35MediumTutorial.InstanceDataDir),
    };

    /// <summary>The preset of a name.</summary>
    /// <param name="name">Tiny, Standard or Full, in any case; blanks around it do not count.</param>
    /// <exception cref="LabException">There is no such preset.</exception>
    public static NotebookPreset Named(string name) => name?.Trim().ToUpperInvariant() switch
    {
        "TINY" => Tiny,
        "STANDARD" => Standard,
        "FULL" => Full,
        _ => throw new LabException($"There is no preset '{ShownText.Line(name ?? string.Empty)}'; valid are Tiny, Standard and Full."),
    };

    /// <summary>
    /// The same with another model, LoRA, photos or encoders; what is left empty stays. The classifier knows the miniature and the lab's
    /// cat only, so encoders judge another model or other photos. The prompts of another model are those of
    /// <see cref="PromptList.Folder"/>.
    /// </summary>
    /// <param name="model">A model's folder or file, relative to the current folder or the project, or its name on the hub.</param>
    /// <param name="lora">A LoRA file or folder, or its name on the hub.</param>
    /// <param name="photos">A folder of pictures.</param>
    /// <param name="dino">A folder of DINO or DINOv2, or its name on the hub.</param>
    /// <param name="clip">A folder of CLIP, or its name on the hub.</param>
    /// <param name="steps">Denoising steps of a picture; 0 for the preset's.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="steps"/> is negative.</exception>
    public NotebookPreset With(
        string? model = null, string? lora = null, string? photos = null, string? dino = null, string? clip = null, int steps = 0)
    {
        static string Given(string? value, string own) => string.IsNullOrWhiteSpace(value) ? own : Located(value);
        ArgumentOutOfRangeException.ThrowIfNegative(steps);
        var study = Study with
        {
            Model = Given(model, Study.Model),
            Lora = Given(lora, Study.Lora),
            Steps = steps > 0 ? steps : Study.Steps,
        };
        var pictures = string.IsNullOrWhiteSpace(photos) ? Photos : ProjectFolder.Resolve(photos, ProjectFolder.Find());
        var same = study.Model == Study.Model;
        return this with
        {
            Study = study,
            Photos = pictures,
            Classifier = same && pictures == Photos ? Classifier : null,
            Dino = Given(dino, Dino),
            Clip = Given(clip, Clip),
            PromptLists = same ? PromptLists : PromptList.Folder,
        };
    }

    /// <summary>The model's folder; a model of the hub is downloaded where it is not there.</summary>
    /// <exception cref="HubException">It is a name on the hub, and cannot be had from there.</exception>
    public string ModelFolder() => new HubResolver().Model(Model);

    /// <summary>One of the prompt lists, written about another subject where that is asked for; the whole of it.</summary>
    /// <param name="family">recontextualization, art, property or validation.</param>
    /// <param name="subject">Identifier and class that stand in the place of "gmc cat".</param>
    /// <exception cref="LabException">There is no such list.</exception>
    public IReadOnlyList<string> PromptsOf(string family, string subject = PromptList.ListedSubject) =>
        PromptList.OfFamily(family, subject, PromptLists);

    /// <summary>
    /// What scores the model's pictures: the miniature's classifier for the miniature, else DINO and CLIP, which are downloaded where they
    /// are not here. Where the hub cannot be reached, one that scores nothing and whose name says what to do.
    /// </summary>
    /// <param name="graded">
    /// Whether the classifier's adherence is a probability instead of a yes or no for each thing that the prompt says; for few pictures.
    /// </param>
    /// <exception cref="LabException">A folder is missing or damaged, or there are fewer than two photos.</exception>
    public IPictureJudge Judge(bool graded = false) => NotebookJudge.Open(this, graded, new HubResolver());

    /// <summary>The folder of a notebook's sweeps, relative to the project; each size has its own.</summary>
    /// <param name="notebook">The notebook's name.</param>
    public string OutputFolder(string notebook) => $"outputs/notebooks/{notebook}/{Size.ToString().ToLowerInvariant()}";

    /// <summary>The training of notebook 02.</summary>
    /// <param name="steps">Optimizer steps; 0 for the preset's.</param>
    /// <param name="rank">Rank of the LoRA; 0 for the preset's.</param>
    /// <param name="learningRate">The transformer's learning rate; 0 for the preset's.</param>
    public TrainingLesson Training(int steps = 0, int rank = 0, double learningRate = 0) =>
        TrainingLesson.Of(this, steps, rank, learningRate);

    /// <summary>The runs whose memory notebook 01 measures.</summary>
    public MemoryLesson Memory() => MemoryLesson.Of(this);

    /// <summary>The training of one's own subject, notebook 07.</summary>
    /// <param name="identifier">The rare word that names the subject.</param>
    /// <param name="kind">What it is: cat, dog, backpack.</param>
    /// <param name="steps">Optimizer steps; 0 for the preset's.</param>
    public SubjectLesson OwnSubject(string identifier = "gmc", string kind = "cat", int steps = 0) =>
        SubjectLesson.Of(this, identifier, kind, steps);

    /// <summary>An expectation that was measured with the miniature; a dash for any other model.</summary>
    /// <param name="miniature">What is expected of the miniature.</param>
    /// <param name="full">What is expected of Stable Diffusion 3.5-medium, where that is known.</param>
    public string Expected(string miniature, string full = "–") =>
        Classifier is not null ? miniature : Size == PresetSize.Full && Model == Full.Model ? full : "–";

    /// <summary>The tutorial's training with this preset's model and photos: the miniature's recipe, or in bf16 on a GPU.</summary>
    internal DreamBoothConfig Recipe()
    {
        var recipe = Size == PresetSize.Full
            ? DreamBoothConfig.Sd35MediumTutorial with { MixedPrecision = MixedPrecision.Bf16 }
            : DreamBoothConfig.Read(Located("data/recipes/gmc-cat.json"));
        return recipe with { PretrainedModelNameOrPath = Model, InstanceDataDir = Photos };
    }

    // A path where there is such a file or folder. What has the form of a name on the hub is one, unless the project has a folder of its
    // first part, such as outputs: then the path has a slip.
    private static string Located(string name)
    {
        var project = ProjectFolder.Find();
        var here = ProjectFolder.Resolve(name, project);
        var isHere = Path.Exists(here) || Directory.Exists(Path.Combine(project, name.Split('/', '\\')[0]));
        return !isHere && HubResolver.IsOnHub(name, out _, out _) ? name : here;
    }
}
