using System.Text.RegularExpressions;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Peft;

/// <summary>Identifies what a file holds beside a LoRA of the layouts that are read (<see cref="LoraFileLayout"/>).</summary>
internal static class LoraLayout
{
    private const int Listed = 3;
    private const int LongestName = 120;

    // The first that fits a name is what it is: what is done to a layer comes before how the layer is called.
    private static readonly (Regex Name, string What)[] KnownKinds =
    [
        (Of(@"\.(?:lora_magnitude_vector|dora_scale|magnitude)(?:\.|$)"), "magnitudes (DoRA)"),
        (Of(@"\.hada_(?:w|t)[12]"), "LoHa (LyCORIS, PEFT)"),
        (Of(@"\.lokr_(?:w|t)[12]"), "LoKr (LyCORIS, PEFT)"),
        (Of(@"\.b?oft_"), "OFT (LyCORIS, PEFT)"),
        (Of(@"vera_lambda"), "VeRA (PEFT)"),
        (Of(@"\.ia3_l|\.on_input$"), "IA3 (LyCORIS, PEFT)"),
        (Of(@"\.lora_mid\."), "LoCon with a middle factor (LyCORIS)"),
        (Of(@"\.diff(?:_b)?$"), "whole differences of weights (LyCORIS)"),
        (Of(@"\.lora_(?:B|up)(?:\.\w+)?\.bias$"), "biases of updates (PEFT's lora_bias)"),
        (Of(@"^lora_te[123]?_"), "a text encoder's LoRA in sd-scripts' (kohya) layout"),
        (Of(@"^(?:base_model\.model\.)?(?:text_model|encoder\.block)\..*lora"),
            "a text encoder's LoRA in PEFT's layout, which does not say of which encoder (diffusers' names do, as text_encoder_2.…)"),
        (Of(@"^lora_unet_(?:joint_blocks|x_embedder|context_embedder|final_layer|t_embedder|y_embedder)_"),
            "a LoRA of Stable Diffusion 3 in sd-scripts' (kohya) layout"),
        (Of(@"^lora_unet_(?:double|single)_blocks_|(?:^|\.)(?:double_blocks|single_blocks|single_transformer_blocks)\..*lora"),
            "a LoRA of FLUX, another model"),
        (Of(@"^lora_unet_|^unet\.|(?:^|\.)(?:input_blocks|middle_block|output_blocks|down_blocks|up_blocks)\..*lora"),
            "a LoRA of Stable Diffusion 1, 2 or XL, another model"),
        (Of(@"^lora_transformer_|^lora_prior_"), "a LoRA in OneTrainer's layout"),
        (Of(@"^lycoris_"), "LyCORIS' layout"),
        (Of(@"(?:^|\.)joint_blocks\..*lora"), "a LoRA in the original layout of Stable Diffusion 3, as ComfyUI's trainers write it"),
        (Of(@"lora_embedding_[AB]"), "a LoRA of an embedding"),
        (Of(@"lora_(?:A|B|down|up)\.|\.lora\.|_lora\."), "updates of layers that the models lack"),
        (Of(@"\.alpha$"), "alphas of layers that have no update here"),
        (Of(@"^exp_avg(?:_sq)?$"), "an optimizer's state, such as a checkpoint keeps"),
        (Of(@"^(?:emb_params|clip_[lg]|t5xxl|<.*>)$"), "an embedding (textual inversion)"),
        (Of(@"(?:joint_blocks|transformer_blocks|text_model|decoder|encoder)\..*\.(?:weight|bias)$"),
            "weights of a whole model; models are given to --model"),
    ];

    /// <summary>What a file is that fits none of the models.</summary>
    /// <param name="names">All tensors' names.</param>
    public static string Describe(IReadOnlyCollection<string> names)
    {
        if (names.Count == 0)
            return "it holds no tensors";
        var (what, some) = Kinds(names)[0];
        return what is null
            ? $"none of its {names.Count} tensors is part of a LoRA; its keys look like {Cut(some[0])}"
            : $"it holds {what}, with keys like {Cut(some[0])}";
    }

    /// <summary>Tensors that are not used, with what they are.</summary>
    /// <param name="names">Their names; at least one.</param>
    public static string DescribeUnused(IReadOnlyCollection<string> names) => string.Join("; ", Kinds(names).Select(kind =>
        $"{kind.What ?? "no part of a LoRA"}: {ShownText.Names([.. kind.Names.Select(Cut)], Listed)}"));

    // The most frequent first; what is not known comes last.
    private static List<(string? What, List<string> Names)> Kinds(IReadOnlyCollection<string> names) =>
    [
        .. names.Order(StringComparer.Ordinal).GroupBy(name => KnownKinds.FirstOrDefault(kind => kind.Name.IsMatch(name)).What)
            .OrderBy(group => group.Key is null).ThenByDescending(group => group.Count()).Select(group => (group.Key, group.ToList())),
    ];

    private static string Cut(string name) => ShownText.Line(name, LongestName);

    private static Regex Of(string pattern) => new(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
}
