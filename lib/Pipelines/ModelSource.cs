using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>One model of a pipeline before it is loaded.</summary>
/// <typeparam name="TConfig">Kind of its configuration.</typeparam>
/// <param name="Config">Sizes.</param>
/// <param name="Weights">Its weights under the published names.</param>
internal sealed record ModelSource<TConfig>(TConfig Config, ITensorSource Weights);
