using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Data;

/// <summary>One of the subjects that a training learns: its pictures, its prompts and its class.</summary>
internal sealed record TrainingSubject
{
    private const string Group = "Subject";

    /// <summary>The keys of a subject in a subjects file: the names of the training's flags.</summary>
    public static FlagSet<TrainingSubject> Flags { get; } = new();

    /// <summary>The folder of its pictures. Required. Key <c>instance_data_dir</c>.</summary>
    [Flag(Group, "Folder of its pictures.", Placeholder = "FOLDER")]
    public required string InstanceDataDir { get; init; }

    /// <summary>The prompt of its pictures without a caption of their own. Required. Key <c>instance_prompt</c>.</summary>
    [Flag(Group, "Prompt of its pictures.")]
    public required string InstancePrompt { get; init; }

    /// <summary>How often each of its pictures counts in an epoch, at least 1, default 1. Key <c>repeats</c>.</summary>
    [Flag(Group, "How often each of its pictures counts in an epoch.", Minimum = 1, Maximum = 100_000)]
    public int Repeats { get; init; } = 1;

    /// <summary>
    /// What the loss of its instance pictures is multiplied with, more than 0 and at most 100, default 1. Key <c>loss_weight</c>.
    /// </summary>
    [Flag(Group, "Weight of the loss of its pictures.", Minimum = 0, OpenMinimum = true, Maximum = 100)]
    public double LossWeight { get; init; } = 1;

    /// <summary>The key of <c>metadata.jsonl</c> that names a picture, default "image". Key <c>image_column</c>.</summary>
    [Flag(Group, "Key of metadata.jsonl that names a line's picture.", Placeholder = "KEY")]
    public string ImageColumn { get; init; } = DreamBoothDatasetOptions.DefaultImageColumn;

    /// <summary>The key of <c>metadata.jsonl</c> that holds a caption; null takes the known ones. Key <c>caption_column</c>.</summary>
    [Flag(Group, "Key of metadata.jsonl with a picture's own prompt.", Placeholder = "KEY")]
    public string? CaptionColumn { get; init; }

    /// <summary>The folder of its class pictures; null without prior preservation. Key <c>class_data_dir</c>.</summary>
    [Flag(Group, "Folder of its class pictures.", Placeholder = "FOLDER")]
    public string? ClassDataDir { get; init; }

    /// <summary>What its class pictures show; null without prior preservation. Key <c>class_prompt</c>.</summary>
    [Flag(Group, "What its class pictures show.")]
    public string? ClassPrompt { get; init; }

    /// <summary>How many class pictures are used at most, at least 1; null for all. Key <c>num_class_images</c>.</summary>
    [Flag(Group, "How many class pictures there must be.", Minimum = 1, Maximum = 1_000_000)]
    public int? NumClassImages { get; init; }
}
