namespace Dreambooth.Lab.Display;

/// <summary>What was chosen of a pair.</summary>
public enum ComparisonChoice
{
    /// <summary>The picture of the first kind.</summary>
    First,

    /// <summary>The picture of the second kind.</summary>
    Second,

    /// <summary>Neither is better.</summary>
    Tie,
}
