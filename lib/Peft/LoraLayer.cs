using Dreambooth.Lab.Layers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>One layer's part of an adapter.</summary>
public sealed record LoraLayer
{
    internal LoraLayer(LoraAdapter.Slot slot, LinearUpdate update)
    {
        (Component, Path, Linear, Update, Alpha, Factor) = (slot.Component, slot.Path, slot.Linear, update, slot.Alpha, slot.Factor);
        (Parts, Dropout) = (slot.Parts, slot.Dropout);
    }

    /// <summary>Prefix of the model, for example <c>transformer</c>.</summary>
    public string Component { get; }

    /// <summary>The layer's path in the model, for example <c>transformer_blocks.0.attn.to_q</c>.</summary>
    public string Path { get; }

    /// <summary>The layer.</summary>
    public AdaptedLayer Linear { get; }

    /// <summary>Its update.</summary>
    public LinearUpdate Update { get; }

    /// <summary>Alpha, of which <see cref="Factor"/> is made.</summary>
    public double Alpha { get; }

    /// <summary>The update's factor at weight 1: alpha / rank, or alpha / √rank where scaling is rank-stabilised.</summary>
    public double Factor { get; }

    /// <summary>The two matrices of LoRA and DoRA.</summary>
    /// <exception cref="InvalidOperationException">The update is of another variant.</exception>
    public LoraWeights Weights =>
        Update as LoraWeights ?? throw new InvalidOperationException($"{Key} has a {Variant}, no matrices A and B.");

    /// <summary>What the update does.</summary>
    public LoraVariant Variant => Parts.Variant;

    /// <summary>Rank of the update.</summary>
    public int Rank => Update.Rank;

    /// <summary>Name in a LoRA file, without <c>.lora_A.weight</c>.</summary>
    public string Key => $"{Component}.{Path}";

    /// <summary>The tensors' names and shapes.</summary>
    internal LoraParts Parts { get; }

    /// <summary>The dropout of the training that the file tells of.</summary>
    internal double Dropout { get; }

    /// <summary>The tensors with their names in a file, as <c>transformer.….lora_A.weight</c>.</summary>
    internal IEnumerable<(string Name, Tensor Value)> Named =>
        Parts.Entries.Select((entry, i) => ($"{Key}.{entry.Name}", Update.Tensors[i]));
}
