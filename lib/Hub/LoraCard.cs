using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dreambooth.Lab.Hub;

/// <summary>
/// The page of a LoRA on the hub (README.md), with the entries that the reference script's card has: base model, instance prompt, licence,
/// sample pictures, tags; and the training settings.
/// </summary>
/// <param name="Repo">The LoRA's repository.</param>
/// <param name="InstancePrompt">The prompt that stands for the subject.</param>
internal sealed record LoraCard(RepoId Repo, string InstancePrompt)
{
    private static readonly JsonSerializerOptions Quoting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The base model's name on the hub, or null where it is not known.</summary>
    public string? BaseModel { get; init; }

    /// <summary>The prompt of the sample pictures, or null.</summary>
    public string? ValidationPrompt { get; init; }

    /// <summary>Whether the LoRA is on the CLIP encoders too.</summary>
    public bool TrainTextEncoder { get; init; }

    /// <summary>Names of the sample pictures in the repository.</summary>
    public IReadOnlyList<string> Pictures { get; init; } = [];

    /// <summary>The settings of the training, name and value; nothing of the machine.</summary>
    public IReadOnlyList<(string Name, string Value)> Settings { get; init; } = [];

    /// <summary>The name of the LoRA file in the repository.</summary>
    public string WeightName { get; init; } = "pytorch_lora_weights.safetensors";

    private string Prompt => ValidationPrompt ?? InstancePrompt;

    private string LicenceLink => $"https://huggingface.co/{BaseModel}/blob/main/LICENSE.md";

    /// <summary>The card as the text of README.md.</summary>
    public string ToMarkdown() => $"""
        {Header()}
        # {Repo.Name}: DreamBooth LoRA

        <Gallery />

        LoRA weights for {(BaseModel is null ? "Stable Diffusion 3" : $"[{BaseModel}](https://huggingface.co/{BaseModel})")}, trained by
        [DreamBooth](https://dreambooth.github.io/) with Dreambooth.Lab, which computes what diffusers'
        `train_dreambooth_lora_sd3.py` computes.
        LoRA on the text encoders: {(TrainTextEncoder ? "yes" : "no")}.

        ## Trigger words

        Write `{InstancePrompt}` to call up the subject.

        ## Use

        With Dreambooth.Lab:

            dotnet run -- generate --model {BaseModel ?? "MODEL"} --lora {Repo} --prompt {Quote(Prompt)}

        With diffusers:

        ```py
        import torch
        from diffusers import AutoPipelineForText2Image

        pipeline = AutoPipelineForText2Image.from_pretrained({Quote(BaseModel ?? "MODEL")}, torch_dtype=torch.bfloat16).to("cuda")
        pipeline.load_lora_weights({Quote(Repo.ToString())}, weight_name={Quote(WeightName)})
        image = pipeline({Quote(Prompt)}).images[0]
        ```
        {Training()}
        ## Licence

        The licence of the base model holds for these weights{(BaseModel is null ? string.Empty : $": [{BaseModel}]({LicenceLink})")}.

        """.ReplaceLineEndings("\n");

    // JSON strings are valid YAML, whatever a prompt holds.
    private static string Quote(string text) => JsonSerializer.Serialize(text, Quoting);

    private string Header()
    {
        string[] model = BaseModel is null ? [] : [$"base_model: {BaseModel}"];
        string[] licence = BaseModel is null ? [] : [$"license_link: {LicenceLink}"];
        string[] widget = Pictures.Count == 0 ? [] : ["widget:"];
        return string.Join('\n', (string[])
        [
            "---", .. model, "library_name: diffusers", "license: other", .. licence, $"instance_prompt: {Quote(InstancePrompt)}",
            .. widget, .. Pictures.Select(picture => $"- text: {Quote(Prompt)}\n  output:\n    url: {Quote(picture)}"),
            "tags:", .. Tags().Select(tag => $"- {tag}"), "---", string.Empty,
        ]);
    }

    private string Training() => Settings.Count == 0 ? string.Empty : string.Join('\n', (string[])
    [
        "\n## Training\n", "| setting | value |", "|---|---|",
        .. Settings.Select(
            setting => $"| {setting.Name} | {setting.Value.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ")} |"),
            string.Empty,
    ]);

    private string[] Tags()
    {
        string[] tags = ["text-to-image", "diffusers-training", "diffusers", "lora", "template:sd-lora"];
        return BaseModel switch
        {
            { } name when name.Contains("3.5-large", StringComparison.OrdinalIgnoreCase) =>
                [.. tags, "sd3.5-large", "sd3.5", "sd3.5-diffusers"],
            { } name when name.Contains("3.5", StringComparison.Ordinal) => [.. tags, "sd3.5-medium", "sd3.5", "sd3.5-diffusers"],
            _ => [.. tags, "sd3", "sd3-diffusers"],
        };
    }
}
