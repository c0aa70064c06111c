using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Loads the weights of text encoders that are not in memory all the time.</summary>
/// <param name="Clip">The first CLIP encoder's.</param>
/// <param name="Clip2">The second CLIP encoder's.</param>
/// <param name="T5">T5's, which are read block by block; null without T5.</param>
/// <param name="Device">Where the encoders compute.</param>
internal sealed record EncodersOnDemand(WeightsOnDemand Clip, WeightsOnDemand Clip2, ITensorSource? T5, Device Device);
