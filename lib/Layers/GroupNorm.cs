using Dreambooth.Lab.Layers.Fused;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// Group normalisation with a learned weight and bias per channel, <c>[B, C, ...] → [B, C, ...]</c>; by the lab's own kernels
/// where they serve (<see cref="FeatureMapKernels"/>).
/// </summary>
public sealed class GroupNorm : WeightedLayer
{
    private readonly long _groups;
    private readonly double _epsilon;

    /// <summary>Declares the layer.</summary>
    /// <param name="groups">Number of groups; divides <paramref name="channels"/>.</param>
    /// <param name="channels">Number of channels.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="device">Device of the parameters.</param>
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
    public override Tensor forward(Tensor input) =>
        Kernels(input)?.Normalize(_groups, Weight, Bias!, _epsilon, null, activate: false, inPlace: false)
            ?? nn.functional.group_norm(input, _groups, Weight, Bias, _epsilon);

    /// <summary>Normalises and applies SiLU, with as little memory as possible where no gradient is needed.</summary>
    /// <param name="input">What it reads; stays.</param>
    internal Tensor Activated(Tensor input) =>
        Kernels(input)?.Normalize(_groups, Weight, Bias!, _epsilon, null, activate: true, inPlace: false) ?? Activate(forward(input));

    /// <summary>As <see cref="Activated"/>, of a map that is the caller's own.</summary>
    /// <param name="input">What it reads; freed, or the result's memory.</param>
    /// <param name="missing">The bias that the input still lacks (<see cref="Conv2d.WithoutBias"/>), <c>[C]</c>, or null.</param>
    internal Tensor ConsumeActivated(Tensor input, Tensor? missing)
    {
        if (Kernels(input, missing) is { } kernels)
            return kernels.Normalize(_groups, Weight, Bias!, _epsilon, missing, activate: true, inPlace: true);
        FeatureMaps.Add(input, missing);
        var normalized = forward(input);
        input.Dispose();
        return Activate(normalized);
    }

    private static Tensor Activate(Tensor normalized)
    {
        if (!normalized.requires_grad)
            return normalized.silu_();
        var active = nn.functional.silu(normalized);
        normalized.Dispose();
        return active;
    }

    private FeatureMapKernels? Kernels(Tensor input, Tensor? missing = null) =>
        Weight.shape[0] / _groups > FeatureMapKernels.WidestGroup ? null : FeatureMapKernels.For(input, Weight, Bias, missing);
}
