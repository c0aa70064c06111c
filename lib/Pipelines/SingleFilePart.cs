using System.Text.RegularExpressions;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>A component of a pipeline and where it lies when it comes in the original layout.</summary>
/// <param name="Component">Its name in the published layout, as <c>text_encoder</c>.</param>
/// <param name="Title">Its name for messages.</param>
/// <param name="Probe">A tensor that it always has, without a prefix.</param>
/// <param name="Prefixes">What its names begin with in a file that holds several components.</param>
/// <param name="FileNames">Names of files that hold it alone, the preferred first.</param>
internal sealed partial record SingleFilePart(
    string Component, string Title, string Probe, IReadOnlyList<string> Prefixes, IReadOnlyList<string> FileNames)
{
    private static readonly string[] Subfolders = ["", "text_encoders", "vae"];

    public static SingleFilePart Transformer { get; } = new(
        "transformer", "the transformer", TransformerTraits.Probe, ["model.diffusion_model.", ""], []);

    /// <summary>The autoencoder.</summary>
    public static SingleFilePart Vae { get; } = new(
        "vae", "the autoencoder", "decoder.conv_in.weight", ["first_stage_model.", "vae."], ["sd3_vae.safetensors"]);

    /// <summary>The first CLIP encoder.</summary>
    public static SingleFilePart Clip { get; } = new(
        "text_encoder", "the first CLIP encoder", "text_model.final_layer_norm.weight", ["text_encoders.clip_l.transformer."],
        ["clip_l.safetensors"]);

    /// <summary>The second CLIP encoder.</summary>
    public static SingleFilePart Clip2 { get; } = new(
        "text_encoder_2", "the second CLIP encoder", "text_model.final_layer_norm.weight", ["text_encoders.clip_g.transformer."],
        ["clip_g.safetensors"]);

    /// <summary>T5.</summary>
    public static SingleFilePart T5 { get; } = new(
        "text_encoder_3", "the T5 encoder", "encoder.final_layer_norm.weight", ["text_encoders.t5xxl.transformer."],
        ["t5xxl_fp16.safetensors", "t5xxl.safetensors", "t5xxl_fp8_e4m3fn_scaled.safetensors", "t5xxl_fp8_e4m3fn.safetensors"]);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<SingleFilePart> All { get; } = [Transformer, Vae, Clip, Clip2, T5];

    /// <summary>The prefix under which a file with several components holds this one, or null where it does not.</summary>
    /// <param name="file">The file.</param>
    public string? PrefixIn(Checkpoint file) => Prefixes.FirstOrDefault(prefix => file.Entries.ContainsKey(prefix + Probe));

    /// <summary>The file that holds this component alone, or null.</summary>
    /// <param name="folder">Where files of the original layout lie; its <c>text_encoders</c> and <c>vae</c> are looked in too.</param>
    public string? FileIn(string folder) =>
        FileNames.SelectMany(name => Subfolders.Select(subfolder => Path.Combine(folder, subfolder, name))).FirstOrDefault(File.Exists);

    /// <summary>The published folder of this component, or null.</summary>
    /// <param name="folder">A pipeline folder.</param>
    public string? FolderIn(string folder) =>
        File.Exists(Path.Combine(folder, Component, "config.json")) ? Path.Combine(folder, Component) : null;

    /// <summary>Whether a name outside of all components is known not to be needed.</summary>
    /// <param name="name">A tensor's whole name.</param>
    public static bool IsSuperfluous(string name) => SuperfluousName().IsMatch(name);

    [GeneratedRegex(@"^text_encoders\.(clip_l|clip_g|t5xxl)\.logit_scale$")]
    private static partial Regex SuperfluousName();
}
