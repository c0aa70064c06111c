using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Tokenizers;

namespace Dreambooth.Lab.Tests.Pipelines;

/// <summary>
/// The committed pipeline with the committed tokenizers, for tests of behaviour that a clone by itself must run. The
/// tokenizers are not those that the pipeline was computed with, so its numbers are compared with each other only.
/// </summary>
internal static class TinyPipeline
{
    /// <summary>The pipeline's folder; its own picture size is 64 and the smallest 16.</summary>
    public static string Folder { get; } = Path.Combine(GoldenSet.SmallRoot, "pipelines", "tiny-sd35m");

    public static StableDiffusion3Pipeline Load(Quantization quantization) => StableDiffusion3Pipeline.Load(
        Folder, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root, Quantization = quantization });

    public static StableDiffusion3Pipeline Load(bool withT5 = true) =>
        StableDiffusion3Pipeline.Load(Folder, new PipelineOptions { TokenizersFolder = TinyTokenizers.Root, WithT5 = withT5 });
}
