using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>Puts values that are no numbers among a model's weights.</summary>
internal static class DamagedModel
{
    public static void Spoil(StableDiffusion3Pipeline pipeline, string name)
    {
        var (model, part) = name switch
        {
            "vae" => ((nn.Module)pipeline.Vae, "conv_in.weight"),
            "decoder" => (pipeline.Vae, "decoder.conv_out.bias"),
            "text_encoder" => (pipeline.Prompts.Clip, "q_proj.weight"),
            "transformer" => (pipeline.Transformer, "proj_out.weight"),
            _ => throw new ArgumentOutOfRangeException(nameof(name)),
        };
        using var noGradients = no_grad();
        // The file's own bytes stay: weights are mapped copy-on-write.
        foreach (var (_, parameter) in model.named_parameters().Where(entry => entry.name.EndsWith(part, StringComparison.Ordinal)))
            parameter.view(-1)[0] = float.NaN;
    }
}
