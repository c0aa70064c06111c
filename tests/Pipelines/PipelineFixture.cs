using System.Collections.Concurrent;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>Loads the pipeline of a golden case with the published tokenizer files.</summary>
internal static class PipelineFixture
{
    private static readonly ConcurrentDictionary<(string Folder, bool WithT5), StableDiffusion3Pipeline> Kept = new();

    /// <summary>A pipeline of the test's own, which the test disposes; for tests that change it, as by a LoRA.</summary>
    public static StableDiffusion3Pipeline Load(GoldenCase golden, bool withT5 = true)
    {
        golden.Require();
        Assert.SkipWhen(
            GoldenSet.TokenizerRoot is null, "The published tokenizer files are not here; name their folder by LAB_TOKENIZERS.");
        return Load(golden.PipelineFolder, withT5);
    }

    /// <summary>A pipeline that many tests share; it is neither changed nor disposed.</summary>
    public static StableDiffusion3Pipeline Shared(GoldenCase golden, bool withT5 = true)
    {
        golden.Require();
        Assert.SkipWhen(
            GoldenSet.TokenizerRoot is null, "The published tokenizer files are not here; name their folder by LAB_TOKENIZERS.");
        return Kept.GetOrAdd((golden.PipelineFolder, withT5), static key => Load(key.Folder, key.WithT5));
    }

    private static StableDiffusion3Pipeline Load(string folder, bool withT5) =>
        StableDiffusion3Pipeline.Load(
            folder, new PipelineOptions { Device = TestDevice.Device, TokenizersFolder = GoldenSet.TokenizerRoot, WithT5 = withT5 });
}
