namespace Dreambooth.Lab.Pipelines;

/// <summary>One component of a model folder, as <c>model_index.json</c> lists it.</summary>
/// <param name="Name">Its name, which is its folder's, for example <c>transformer</c>.</param>
/// <param name="ClassName">The class that the index names.</param>
/// <param name="Files">Names of the files in its folder, by name; empty where it is missing.</param>
/// <param name="Bytes">Size of these files.</param>
public sealed record ModelComponent(string Name, string ClassName, IReadOnlyList<string> Files, long Bytes);
