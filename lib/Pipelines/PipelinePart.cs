namespace Dreambooth.Lab.Pipelines;

/// <summary>One model of a pipeline, and how large it is.</summary>
/// <param name="Name">The name of its folder, for example <c>text_encoder_2</c>.</param>
/// <param name="ClassName">The name of its class.</param>
/// <param name="Parameters">How many numbers it has learned, adapters left out.</param>
/// <param name="Bytes">The memory that they take as loaded.</param>
public sealed record PipelinePart(string Name, string ClassName, long Parameters, long Bytes);
