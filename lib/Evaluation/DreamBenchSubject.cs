namespace Dreambooth.Lab.Evaluation;

/// <summary>A subject of the DreamBooth data set.</summary>
/// <param name="Name">Its folder's name.</param>
/// <param name="ClassName">What it is, such as <c>stuffed animal</c>.</param>
/// <param name="Photos">The folder of its photos.</param>
/// <param name="Templates">The prompts, where <c>{0}</c> stands for the unique token and <c>{1}</c> for the class.</param>
internal sealed record DreamBenchSubject(string Name, string ClassName, string Photos, IReadOnlyList<string> Templates)
{
    /// <summary>The prompts with a token.</summary>
    public IReadOnlyList<string> Prompts(string token) =>
        [.. Templates.Select(text => text.Replace("{0}", token, StringComparison.Ordinal)
            .Replace("{1}", ClassName, StringComparison.Ordinal))];
}
