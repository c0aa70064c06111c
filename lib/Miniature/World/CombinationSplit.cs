namespace Dreambooth.Lab.Miniature.World;

/// <summary>Which combinations of attributes a sampler draws (see <see cref="WorldSampler.IsHeldOut"/>).</summary>
internal enum CombinationSplit
{
    /// <summary>All combinations.</summary>
    Any,

    /// <summary>Only those that training may see.</summary>
    TrainOnly,

    /// <summary>Only those that training never sees.</summary>
    HeldOutOnly,
}
