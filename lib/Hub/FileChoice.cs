namespace Dreambooth.Lab.Hub;

/// <summary>The files of a repository that are needed.</summary>
/// <param name="Files">Their paths, each once.</param>
/// <param name="Notes">What a user should know of the choice, one sentence each; empty when it is as asked for.</param>
internal sealed record FileChoice(IReadOnlyList<string> Files, IReadOnlyList<string> Notes);
