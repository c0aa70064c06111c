using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>The random draws of one micro-batch.</summary>
/// <param name="Noise">Standard normal noise, float32, <c>[B, C, h, w]</c>.</param>
/// <param name="Indices">
/// Index of each row's timestep in the training table, int64, <c>[B]</c>; or its noise level σ itself, from above 0 to 1, float32.
/// </param>
public sealed record TrainingDraw(Tensor Noise, Tensor Indices);
