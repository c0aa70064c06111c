namespace Dreambooth.Lab.Sweeps;

/// <summary>Something in a prompt file that its author may not want.</summary>
/// <param name="Line">Line of the file, from 1.</param>
/// <param name="Text">What, in a sentence.</param>
internal sealed record PromptFinding(int Line, string Text);
