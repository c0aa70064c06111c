namespace Dreambooth.Lab.Display;

/// <summary>Two pictures to choose between, from the same prompt and seed.</summary>
/// <param name="First">A picture of the first kind.</param>
/// <param name="Second">A picture of the second kind.</param>
/// <param name="Question">What is asked or what the pictures should show, such as the prompt; must not tell which is which.</param>
public sealed record ComparisonPair(GridCell First, GridCell Second, string Question = "");
