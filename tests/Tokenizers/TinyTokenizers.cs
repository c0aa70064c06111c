using System.Text.Json;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Tests.Tokenizers;

/// <summary>
/// The small tokenizers of <c>tests/fixtures/tokenizers</c>: 60 merges, 82 pieces, windows of 32. <c>ids.json</c> holds what
/// Hugging Face tokenizers 0.23.2, set up as transformers 5.17 sets it up, makes of 24 prompts with them.
/// </summary>
internal static class TinyTokenizers
{
    public static string Root { get; } = Path.Combine(GoldenSet.RepositoryRoot, "tests", "fixtures", "tokenizers");

    public static string Folder(string name) => Path.Combine(Root, name);

    public static ITextTokenizer Load(string name) => TokenizerLoader.Load(Folder(name), new TokenizerFiles(Root, null));

    public static IReadOnlyList<(string Prompt, int[] Ids)> Reference(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, "ids.json")));
        return [.. document.RootElement.EnumerateArray().Select(row =>
            (row.GetProperty("prompt").GetString()!, row.GetProperty(name).EnumerateArray().Select(id => id.GetInt32()).ToArray()))];
    }
}
