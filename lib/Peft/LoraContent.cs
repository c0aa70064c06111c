using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>One layer's update, apart from any model.</summary>
/// <param name="Component">Prefix of the model, for example <c>transformer</c>.</param>
/// <param name="Path">The layer's path in the model.</param>
/// <param name="Parts">The tensors' names and shapes.</param>
/// <param name="Rank">The rank.</param>
/// <param name="Alpha">Alpha.</param>
/// <param name="Factor">What alpha means: the factor of the update.</param>
/// <param name="Tensors">The tensors.</param>
/// <param name="Dropout">The probability with which its inputs were left out in training.</param>
internal sealed record LoraContent(
    string Component, string Path, LoraParts Parts, int Rank, double Alpha, double Factor, IReadOnlyList<Tensor> Tensors,
    double Dropout = 0)
{
    /// <summary>The layer's key.</summary>
    public string Key => $"{Component}.{Path}";

    /// <summary>What the update does.</summary>
    public LoraVariant Variant => Parts.Variant;

    /// <summary>Whether it is a LoKr of two whole factors, whose tensors tell no rank.</summary>
    public bool IsWhole => Parts.IsWhole;

    /// <summary>The size of the layer's weight.</summary>
    public (long Out, long In) Size => Parts.Build(string.Empty, Tensors, Rank, Factor).Shape;

    /// <summary>The tensors by their names in <see cref="LoraParts"/>.</summary>
    public IEnumerable<(string Name, Tensor Value)> Named => Parts.Entries.Select((entry, i) => (entry.Name, Tensors[i]));

    /// <summary>A tensor; null where there is none.</summary>
    /// <param name="part">Its name in <see cref="LoraParts"/>.</param>
    public Tensor? this[string part] => Named.FirstOrDefault(entry => entry.Name == part).Value;

    /// <summary>What an adapter has for a layer.</summary>
    /// <param name="layer">The layer; its tensors stay its own.</param>
    public static LoraContent Of(LoraLayer layer) => new(
        layer.Component, layer.Path, layer.Parts, layer.Rank, layer.Alpha, layer.Factor,
        [.. layer.Update.Tensors.Select(tensor => tensor.detach())], layer.Update.Dropout?.Probability ?? layer.Dropout);

    /// <summary>The same update with a factor of 1: the factor is multiplied into what makes the output's rows.</summary>
    /// <param name="weight">How strongly it shall act beside; 1 as it is.</param>
    public LoraContent Folded(double weight = 1)
    {
        var factor = Factor * weight;
        if (factor == 1)
            return this with { Alpha = Rank, Factor = 1 };
        using var scalar = KeptScalar.Once(factor);
        Tensor[] tensors = [.. Named.Select(entry => entry.Name is LoraParts.B or LoraParts.Bias or "hada_w1_a" or "lokr_w1" or "lokr_w1_a"
            ? entry.Value.to(ScalarType.Float32).mul(scalar) : entry.Value)];
        return this with { Alpha = Rank, Factor = 1, Tensors = tensors };
    }
}
