using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>Group normalisation with a learned weight and bias per channel, <c>[B, C, ...] → [B, C, ...]</c>.</summary>
public sealed class GroupNorm : WeightedLayer
{
    private readonly long _groups;
    private readonly double _epsilon;

    /// <summary>Declares the layer.</summary>
    /// <param name="groups">Number of groups; divides <paramref name="channels"/>.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="device">Where the parameters live.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public GroupNorm(long groups, long channels, double epsilon, Device device, ScalarType dtype)
        : base(nameof(GroupNorm), [channels], [channels], device, dtype)
    {
        if (groups < 1 || channels % groups != 0)
            throw new ArgumentException($"{channels} channels cannot be divided into {groups} groups.", nameof(groups));
        _groups = groups;
        _epsilon = epsilon;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => nn.functional.group_norm(input, _groups, Weight, Bias, _epsilon);
}
