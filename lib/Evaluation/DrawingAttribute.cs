namespace Dreambooth.Lab.Evaluation;

/// <summary>One attribute of painted pictures, as a head of a classifier sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Classes">The names of its classes.</param>
/// <param name="ClassOf">The index of a painted picture's class in <paramref name="Classes"/>.</param>
/// <param name="IsShown">Whether a painted picture shows the attribute, so that a classifier can be asked for it.</param>
public sealed record DrawingAttribute(
    string Name, IReadOnlyList<string> Classes, Func<WorldSpec, int> ClassOf, Func<WorldSpec, bool> IsShown);
