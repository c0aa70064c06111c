using System.Text.Json;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tokenizers;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Tokenizers;

public sealed class TokenizerLoaderTests
{
    public static TheoryData<GoldenCase> Rows => GoldenSet.KeyCases("tokenizers", @"^(?<case>[^.]+)\.input_ids$");

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Rows))]
    public void EncodePadded_GoldenPrompts_EqualTheReferenceIds(GoldenCase golden)
    {
        golden.Require();
        Assert.SkipWhen(
            GoldenSet.TokenizerRoot is null, "The published tokenizer files are not here; name their folder by LAB_TOKENIZERS.");
        using var scope = NewDisposeScope();
        var expected = golden.Load("input_ids");
        var lengths = golden.Load("length").data<long>().ToArray();
        var window = (int)expected.shape[1];
        var tokenizer = TokenizerLoader.Load(
            Path.Combine(GoldenSet.PathOf("pipelines", GoldenSet.Pipelines[0]), Folder(golden.Key!)),
            new TokenizerFiles(GoldenSet.TokenizerRoot));
        var prompts = JsonSerializer.Deserialize<string[]>(File.ReadAllBytes(GoldenSet.PathOf("tokenizers", "prompts.json")))!;
        Assert.Equal(expected.shape[0], prompts.Length);
        var wanted = expected.data<long>().ToArray();
        for (var row = 0; row < prompts.Length; row++)
        {
            var ids = tokenizer.EncodePadded(prompts[row], window);
            Assert.True(
                ids.AsSpan().SequenceEqual(wanted.AsSpan(row * window, window)), $"Row {row} '{prompts[row]}': [{string.Join(", ", ids)}]");
            Assert.Equal(lengths[row], Math.Min(window, tokenizer.Encode(prompts[row]).Count));
        }
    }

    [Theory]
    [Trait("Category", "Parity")]
    [MemberData(nameof(Rows))]
    public void PadTokenId_GoldenConfig_IsTheReferences(GoldenCase golden)
    {
        golden.Require();
        Assert.SkipWhen(
            GoldenSet.TokenizerRoot is null, "The published tokenizer files are not here; name their folder by LAB_TOKENIZERS.");
        var tokenizer = TokenizerLoader.Load(
            Path.Combine(GoldenSet.PathOf("pipelines", GoldenSet.Pipelines[0]), Folder(golden.Key!)),
            new TokenizerFiles(GoldenSet.TokenizerRoot));
        var name = golden.Key!.StartsWith("t5", StringComparison.Ordinal) ? "t5" : golden.Key;
        Assert.Equal(golden.Entry.Meta!.Value.GetProperty($"{name}_pad").GetInt32(), tokenizer.PadTokenId);
    }

    [Theory]
    [InlineData("tokenizer")]
    [InlineData("tokenizer_2")]
    [InlineData("tokenizer_3")]
    public void Encode_SmallVocabulary_EqualsTheReferenceIds(string name)
    {
        var tokenizer = TinyTokenizers.Load(name);
        foreach (var (prompt, ids) in TinyTokenizers.Reference(name))
            Assert.True(
                tokenizer.Encode(prompt).SequenceEqual(ids),
                $"'{prompt}': [{string.Join(", ", tokenizer.Encode(prompt))}], not [{string.Join(", ", ids)}]");
    }

    [Theory]
    [InlineData("tokenizer")]
    [InlineData("tokenizer_2")]
    [InlineData("tokenizer_3")]
    public void EncodePadded_AnyPrompt_IsTheIdsCutBeforeTheEndTokenOrPadded(string name)
    {
        var tokenizer = TinyTokenizers.Load(name);
        Assert.Equal(32, tokenizer.ModelMaxLength);
        foreach (var (prompt, ids) in TinyTokenizers.Reference(name))
        {
            var row = tokenizer.EncodePadded(prompt, tokenizer.ModelMaxLength);
            Assert.Equal(32, row.Length);
            var expected = ids.Length > 32 ? [.. ids[..31], ids[^1]] : ids.Concat(Enumerable.Repeat(tokenizer.PadTokenId, 32 - ids.Length));
            Assert.Equal(expected.Select(id => (long)id), row);
        }

        Assert.Contains(TinyTokenizers.Reference(name), pair => pair.Ids.Length > 32);
    }

    [Fact]
    public void Load_UnknownClass_NamesTheKnownOnes()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "tokenizer_config.json"), """{"tokenizer_class": "BertTokenizer"}""");
        var error = Assert.Throws<LabException>(() => TokenizerLoader.Load(folder.Path, new TokenizerFiles(null, null)));
        Assert.Contains("BertTokenizer", error.Message, StringComparison.Ordinal);
        Assert.Contains("CLIPTokenizer", error.Message, StringComparison.Ordinal);
    }

    private static string Folder(string key) => key switch
    {
        "clip1" => "tokenizer",
        "clip2" => "tokenizer_2",
        _ when key.StartsWith("t5", StringComparison.Ordinal) => "tokenizer_3",
        _ => throw new InvalidOperationException($"No tokenizer is known for the case {key}."),
    };
}
