using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;

namespace Dreambooth.Lab.Training;

/// <content>Several subjects, and what is drawn for each use of a picture.</content>
public sealed partial record DreamBoothConfig
{
    /// <summary>
    /// A file of several subjects that are learned together, in place of <see cref="InstanceDataDir"/> and <see cref="InstancePrompt"/>;
    /// null (the default): one subject. Flag <c>--subjects</c>.
    /// </summary>
    [Flag(
        DataGroup, "Several subjects, in place of instance_data_dir and instance_prompt: a JSON list with an object a subject. Its keys "
        + "are instance_data_dir, instance_prompt, loss_weight, and repeats, image_column, caption_column, class_data_dir, class_prompt "
        + "and num_class_images where they differ from the flags.", Placeholder = "FILE", DefaultText = "one subject")]
    public string? Subjects { get; init; }

    /// <summary>
    /// The part of the uses of instance pictures that see the empty prompt instead of theirs, 0 to 1, default 0. Flag
    /// <c>--caption_dropout</c>.
    /// </summary>
    [Flag(DataGroup, "Part of the uses of instance pictures that see the empty prompt.", Minimum = 0, Maximum = 1)]
    public double CaptionDropout { get; init; }

    /// <summary>
    /// Draw the random crops and flips of instance pictures anew for each use, which encodes them in every step; default false: crops are
    /// drawn once, flips each epoch, and all are encoded once. Flag <c>--augment_each_epoch</c>.
    /// </summary>
    [Flag(DataGroup, "Draw the random crops and flips of instance pictures anew for each use, and encode them in every step.")]
    public bool AugmentEachEpoch { get; init; }

    /// <summary>
    /// What transparent parts of pictures are laid over, a name or #RRGGBB, default white. Flag <c>--alpha_color</c>.
    /// </summary>
    [Flag(DataGroup, "What transparent parts of pictures are laid over: white, gray, black, or #RRGGBB.", Placeholder = "COLOR")]
    public string AlphaColor { get; init; } = "white";

    /// <summary>A training of each subject by itself, in order; the configuration itself where it has one.</summary>
    /// <exception cref="LabException">The file of <see cref="Subjects"/> cannot be read or is wrong.</exception>
    internal IReadOnlyList<DreamBoothConfig> PerSubject() =>
        Subjects is null ? [this] : [.. ReadSubjects().Select(For)];

    /// <summary>A training of the first subject with each set of class pictures; empty where none are used.</summary>
    /// <exception cref="LabException">The file of <see cref="Subjects"/> cannot be read or is wrong.</exception>
    internal IReadOnlyList<DreamBoothConfig> PerClass()
    {
        if (!UsesClassPictures)
            return [];
        return Subjects is null ? [this] :
        [
            .. DatasetOptions().ClassSets().Sets.Select(
                set => PerSubject()[0] with { ClassPrompt = set.Prompt, ClassDataDir = set.Folder, NumClassImages = set.Most!.Value }),
        ];
    }

    /// <summary>The class pictures that all classes need together; 0 without prior preservation.</summary>
    internal int AllClassImages() => PerClass().Sum(one => one.NumClassImages);

    /// <summary>The subjects of <see cref="Subjects"/>; empty where there is one.</summary>
    /// <param name="path">The file; null for the flag's.</param>
    /// <exception cref="LabException">The file cannot be read or is wrong.</exception>
    internal IReadOnlyList<TrainingSubject> ReadSubjects(string? path = null)
    {
        if (Subjects is null)
            return [];
        var subjects = SubjectsFile.Read(path ?? Subjects, new TrainingSubject
        {
            InstanceDataDir = string.Empty,
            InstancePrompt = string.Empty,
            Repeats = Repeats,
            ImageColumn = ImageColumn,
            CaptionColumn = CaptionColumn,
            ClassDataDir = ClassDataDir,
            ClassPrompt = ClassPrompt,
            NumClassImages = NumClassImages,
        });
        if (!WithPriorPreservation)
            return [.. subjects.Select(subject => subject with { ClassDataDir = null, ClassPrompt = null, NumClassImages = null })];
        foreach (var (index, subject) in subjects.Index())
        {
            if (string.IsNullOrWhiteSpace(subject.ClassDataDir) || string.IsNullOrWhiteSpace(subject.ClassPrompt))
            {
                var missing = string.IsNullOrWhiteSpace(subject.ClassDataDir) ? "class_data_dir" : "class_prompt";
                throw new LabException(
                    $"{path ?? Subjects}, subject {index + 1}: with_prior_preservation needs its {missing}, here or as a flag for all.");
            }
        }

        return subjects;
    }

    /// <summary>The instance prompt, or those of several subjects, as the run that left a folder had them.</summary>
    /// <param name="folder">The run's output folder.</param>
    /// <returns>Null where they are not known any more.</returns>
    internal string? InstancePromptIn(string folder)
    {
        if (Subjects is null)
            return InstancePrompt;
        var copy = Path.Combine(folder, SubjectsFile.CopyName);
        return File.Exists(copy) ? string.Join(" or ", ReadSubjects(copy).Select(subject => subject.InstancePrompt)) : null;
    }

    private DreamBoothConfig For(TrainingSubject subject) => this with
    {
        Subjects = null,
        InstanceDataDir = subject.InstanceDataDir,
        InstancePrompt = subject.InstancePrompt,
        Repeats = subject.Repeats,
        ImageColumn = subject.ImageColumn,
        CaptionColumn = subject.CaptionColumn,
        ClassDataDir = subject.ClassDataDir,
        ClassPrompt = subject.ClassPrompt,
        NumClassImages = subject.NumClassImages ?? NumClassImages,
    };

    private IEnumerable<string> SubjectErrors()
    {
        if (AlphaColour.Parse(AlphaColor) is null)
            yield return $"alpha_color is '{ShownText.Line(AlphaColor)}'; valid is white, gray, black, or a colour as #RRGGBB.";
        if (Subjects is null)
        {
            if (string.IsNullOrEmpty(InstanceDataDir) && DatasetName is null)
                yield return "instance_data_dir is missing.";
            if (string.IsNullOrEmpty(InstancePrompt))
                yield return "instance_prompt is missing.";
            yield break;
        }

        if (!string.IsNullOrEmpty(InstanceDataDir) || !string.IsNullOrEmpty(InstancePrompt))
            yield return "subjects goes without instance_data_dir and instance_prompt: the file has those of each subject.";
        if (EvaluationSteps is not null)
            yield return "evaluation_steps does not go with subjects: it scores the pictures of one. Score with evaluate --lora, a subject "
                + "at a time.";
        if (WatchSteps is not null)
            yield return "watch_steps does not go with subjects: it compares with the photos of one.";
    }

    private IEnumerable<string> SubjectNotices()
    {
        if (AugmentEachEpoch && !RandomFlip && CenterCrop)
            yield return "augment_each_epoch has no effect with center_crop and without random_flip: nothing is drawn.";
    }
}
