namespace Dreambooth.Lab.Hub;

/// <summary>Which files of a repository are meant.</summary>
public enum HubContent
{
    /// <summary>A pipeline's needed files where there is a <c>model_index.json</c>, else all files.</summary>
    Auto,

    /// <summary>
    /// A pipeline: the components of <c>model_index.json</c>, their configurations, tokenizers and one set of safetensors each.
    /// </summary>
    Pipeline,

    /// <summary>A LoRA: the one safetensors file that diffusers or PEFT write, and its configuration.</summary>
    Lora,

    /// <summary>
    /// An encoder of pictures, such as CLIP or DINO: its configuration, preprocessing, tokenizer files where it has any, and one set of
    /// safetensors.
    /// </summary>
    Encoder,

    /// <summary>An image-folder dataset: the pictures of its train part, or of one folder, and their captions.</summary>
    Dataset,

    /// <summary>Every file.</summary>
    All,
}
