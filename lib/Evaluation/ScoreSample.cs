namespace Dreambooth.Lab.Evaluation;

/// <summary>What one picture scored.</summary>
/// <param name="Prompt">The place of its prompt in the list.</param>
/// <param name="Seed">Its seed; the same seeds are used for every prompt.</param>
/// <param name="Value">The score.</param>
internal readonly record struct ScoreSample(int Prompt, long Seed, double Value);
