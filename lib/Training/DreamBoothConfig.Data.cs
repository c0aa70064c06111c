using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Training;

/// <content>The model, the pictures and the prompts.</content>
public sealed partial record DreamBoothConfig
{
    private const string ModelGroup = "Model";
    private const string DataGroup = "Pictures and prompts";
    private const string PriorGroup = "Prior preservation";

    /// <summary>
    /// The model: a folder in the published layout, one file in the original layout, or its name on the Hugging Face hub. Required. Flag
    /// <c>--pretrained_model_name_or_path</c>.
    /// </summary>
    [Flag(
        ModelGroup,
        "The Stable Diffusion 3.x model: a folder in the published layout, one file such as sd3.5_medium.safetensors, or its name on the "
        + "hub, such as stabilityai/stable-diffusion-3.5-medium.", Placeholder = "FOLDER|FILE|NAME")]
    public required string PretrainedModelNameOrPath { get; init; }

    /// <summary>Branch, tag or commit of a model from the hub; null: main. Flag <c>--revision</c>.</summary>
    [Flag(ModelGroup, "Branch, tag or commit of a model from the hub.", Placeholder = "NAME", DefaultText = "main")]
    public string? Revision { get; init; }

    /// <summary>
    /// A folder with <c>clip/</c> and <c>t5/</c> tokenizer files, used where the model folder has none; null: the folder that the
    /// environment variable LAB_TOKENIZERS names. Flag <c>--tokenizers</c>.
    /// </summary>
    [Flag(
        ModelGroup, "Folder with clip/ and t5/ tokenizer files, used where the model folder has none.", Placeholder = "FOLDER",
        DefaultText = "LAB_TOKENIZERS")]
    public string? Tokenizers { get; init; }

    /// <summary>The preferred variant of the model's files, such as fp16; null: the plain files. Flag <c>--variant</c>.</summary>
    [Flag(
        ModelGroup, "Preferred variant of the model's files, such as fp16 (model.fp16.safetensors).", Placeholder = "NAME",
        DefaultText = "the plain files")]
    public string? Variant { get; init; }

    /// <summary>The folder with what a single-file model lacks; null: the file's own folder. Flag <c>--components</c>.</summary>
    [Flag(
        ModelGroup, "Folder with what a single-file model lacks: text encoders, autoencoder, tokenizers.", Placeholder = "FOLDER",
        DefaultText = "the file's own folder")]
    public string? Components { get; init; }

    /// <summary>Rows of T5 text that the transformer sees, 1 to 512, default 77. Flag <c>--max_sequence_length</c>.</summary>
    [Flag(ModelGroup, "Rows of T5 text that the transformer sees.", Minimum = 1, Maximum = 512)]
    public int MaxSequenceLength { get; init; } = 77;

    /// <summary>The folder of the pictures to train on. Required without <see cref="Subjects"/>. Flag <c>--instance_data_dir</c>.</summary>
    [Flag(DataGroup, "Folder of the pictures to train on; required without subjects.", Placeholder = "FOLDER")]
    public string InstanceDataDir { get; init; } = string.Empty;

    /// <summary>
    /// Prompt of the instance pictures, with the rare word that will name the subject. Required without <see cref="Subjects"/>. Flag
    /// <c>--instance_prompt</c>.
    /// </summary>
    [Flag(DataGroup, "Prompt of the pictures, with the rare word that will name the subject: a photo of gmc cat; required without "
        + "subjects.")]
    public string InstancePrompt { get; init; } = string.Empty;

    /// <summary>
    /// The key of <c>metadata.jsonl</c> that names a line's picture, default "image" (<c>file_name</c> also works). Flag
    /// <c>--image_column</c>.
    /// </summary>
    [Flag(DataGroup, "Key of metadata.jsonl that names a line's picture; file_name also works.", Placeholder = "KEY")]
    public string ImageColumn { get; init; } = "image";

    /// <summary>
    /// The key of <c>metadata.jsonl</c> that holds a picture's own prompt; null: "text", "caption" or "prompt". Flag
    /// <c>--caption_column</c>.
    /// </summary>
    [Flag(DataGroup, "Key of metadata.jsonl with a picture's own prompt.", Placeholder = "KEY", DefaultText = "text, caption or prompt")]
    public string? CaptionColumn { get; init; }

    /// <summary>How often each picture counts in an epoch, at least 1, default 1. Flag <c>--repeats</c>.</summary>
    [Flag(DataGroup, "How often each picture counts in an epoch.", Minimum = 1, Maximum = 100_000)]
    public int Repeats { get; init; } = 1;

    /// <summary>Side of the square training pictures in pixels, a multiple of 16, default 512. Flag <c>--resolution</c>.</summary>
    [Flag(DataGroup, "Side of the square training pictures in pixels.", Minimum = 16, MultipleOf = 16, Maximum = 16_384)]
    public int Resolution { get; init; } = 512;

    /// <summary>
    /// What to do with unusable pictures (broken, tiny, CMYK, 16 bit, not a picture): refuse the run, or skip them; default refuse. Flag
    /// <c>--on_bad_image</c>.
    /// </summary>
    [Flag(DataGroup, "What to do with unusable pictures (broken, tiny, CMYK, 16 bit): refuse the run, or skip them.")]
    public BadImagePolicy OnBadImage { get; init; } = BadImagePolicy.Refuse;

    /// <summary>Crop at the centre; false (the default): at a random place. Flag <c>--center_crop</c>.</summary>
    [Flag(DataGroup, "Crop at the centre instead of at a random place.")]
    public bool CenterCrop { get; init; }

    /// <summary>Mirror pictures at random, default false. Flag <c>--random_flip</c>.</summary>
    [Flag(DataGroup, "Mirror pictures left to right at random.")]
    public bool RandomFlip { get; init; }

    /// <summary>
    /// Add a loss that preserves the class, on class pictures unless <see cref="PriorFrom"/> says otherwise, default false. Flag
    /// <c>--with_prior_preservation</c>.
    /// </summary>
    [Flag(PriorGroup, "Learn from class pictures, or from prior_from, too, so that the class stays what it was.")]
    public bool WithPriorPreservation { get; init; }

    /// <summary>Weight of the class pictures' and the teacher's loss, at least 0, default 1. Flag <c>--prior_loss_weight</c>.</summary>
    [Flag(PriorGroup, "Weight of the class pictures' and of the teacher's loss.", Minimum = 0)]
    public double PriorLossWeight { get; init; } = 1.0;

    /// <summary>
    /// The folder of the class pictures; missing pictures are generated into it. Needed with prior preservation. Flag
    /// <c>--class_data_dir</c>.
    /// </summary>
    [Flag(PriorGroup, "Folder of the class pictures; missing ones are generated into it.", Placeholder = "FOLDER")]
    public string? ClassDataDir { get; init; }

    /// <summary>What the class pictures show. Needed with prior preservation. Flag <c>--class_prompt</c>.</summary>
    [Flag(PriorGroup, "What the class pictures show: a photo of a cat.")]
    public string? ClassPrompt { get; init; }

    /// <summary>How many class pictures there must be, at least 1, default 100. Flag <c>--num_class_images</c>.</summary>
    [Flag(PriorGroup, "How many class pictures there must be.", Minimum = 1, Maximum = 1_000_000)]
    public int NumClassImages { get; init; } = 100;

    /// <summary>
    /// How many class or validation pictures are generated at a time, at least 1, default 4; more than 8, or than fit, are split. Flag
    /// <c>--sample_batch_size</c>.
    /// </summary>
    [Flag(PriorGroup, "How many class or validation pictures are generated at a time; more than 8, or than fit, are split.", Minimum = 1,
        Maximum = 65_536)]
    public int SampleBatchSize { get; init; } = 4;

    /// <summary>Denoising steps of a class picture, 1 to 1000, default 28. Flag <c>--prior_generation_steps</c>.</summary>
    [Flag(PriorGroup, "Denoising steps of a class picture.", Minimum = 1, Maximum = 1000)]
    public int PriorGenerationSteps { get; init; } = 28;

    /// <summary>
    /// Scale of a class picture's classifier-free guidance, at least 0, default 7; up to 1 there is none. The LoRA learns what the pictures
    /// look like, the colours that a high guidance exaggerates included. Flag <c>--prior_generation_guidance</c>.
    /// </summary>
    [Flag(PriorGroup, "Guidance of a class picture; up to 1 it is off.", Minimum = 0)]
    public double PriorGenerationGuidance { get; init; } = 7;
}
