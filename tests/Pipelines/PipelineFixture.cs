using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Golden;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>Loads the pipeline of a golden case with the published tokenizer files.</summary>
internal static class PipelineFixture
{
    public static StableDiffusion3Pipeline Load(GoldenCase golden, bool withT5 = true)
    {
        golden.Require();
        Skip.If(GoldenSet.TokenizerRoot is null, "The published tokenizer files are not here; name their folder by LAB_TOKENIZERS.");
        return StableDiffusion3Pipeline.Load(golden.PipelineFolder, new PipelineOptions { TokenizersFolder = GoldenSet.TokenizerRoot, WithT5 = withT5 });
    }
}
