using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Data;

public sealed class PromptCacheTests
{
    private readonly List<string> _encoded = [];

    private CachedEmbeddings Encode(string prompt)
    {
        _encoded.Add(prompt);
        return new CachedEmbeddings(full([1, 5, 4], (float)prompt.Length), full([1, 3], (float)-prompt.Length));
    }

    [Fact]
    public void Embeddings_RepeatedPrompts_AreEncodedOnceAndComeInOrder()
    {
        using var scope = NewDisposeScope();
        using var cache = PromptCache.Build(["a", "bbb", "a", "cc", "bbb"], Encode);
        Assert.Equal(["a", "bbb", "cc"], _encoded);
        Assert.Equal(3, cache.Count);
        using var rows = cache.Embeddings(["bbb", "a", "bbb"]);
        Assert.Equal([3, 5, 4], rows.PromptEmbeds.shape);
        Assert.Equal([3, 3], rows.PooledPromptEmbeds!.shape);
        Assert.Equal([3f, 1f, 3f], rows.PromptEmbeds[.., 4, 3].data<float>().ToArray());
        Assert.Equal([-3f, -1f, -3f], rows.PooledPromptEmbeds[.., 2].data<float>().ToArray());
    }

    [Fact]
    public void Embeddings_NoPooledVector_StaysNull()
    {
        using var cache = PromptCache.Build(["a"], prompt => new CachedEmbeddings(ones(1, 2, 3), null));
        using var rows = cache.Embeddings(["a", "a"]);
        Assert.Null(rows.PooledPromptEmbeds);
        Assert.Equal([2, 2, 3], rows.PromptEmbeds.shape);
    }

    [Fact]
    public void Build_InAScope_OwnsItsTensorsAndLeavesNoOthers()
    {
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        PromptCache cache;
        using (NewDisposeScope())
            cache = PromptCache.Build(["a", "b"], Encode);
        Assert.Equal(before + 2, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        cache.Embeddings(["b"]).Dispose();
        cache.Dispose();
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Build_ShapesDiffer_NamesThePromptAndLeavesNoTensor()
    {
        var before = TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var error = Assert.Throws<LabException>(
            () => PromptCache.Build(["a", "bb"], prompt => new CachedEmbeddings(ones(1, prompt.Length, 3), ones(1, 3))));
        Assert.Contains("\"bb\"", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Embeddings_UnknownPrompt_IsNamed()
    {
        using var cache = PromptCache.Build(["a"], Encode);
        Assert.Contains("\"z\"", Assert.Throws<LabException>(() => cache.Embeddings(["z"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_NoPrompts_IsRefused() => Assert.Throws<LabException>(() => PromptCache.Build([], Encode));
}
