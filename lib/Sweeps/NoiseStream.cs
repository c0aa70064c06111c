using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Sweeps;

/// <summary>
/// The noise of a prompt's pictures: all share one stream of draws, as in the tutorial's script, and pictures that exist have used their
/// part. Each combination of settings begins it anew.
/// </summary>
/// <param name="pipeline">The model.</param>
/// <param name="seed">The prompt's seed.</param>
internal sealed class NoiseStream(StableDiffusion3Pipeline pipeline, ulong seed) : IDisposable
{
    private GenerateConfig? _of;
    private Generator? _generator;
    private int _next;

    /// <summary>The noise of some pictures.</summary>
    /// <param name="variant">Their settings; its size counts.</param>
    /// <param name="places">Which of the stream's draws, rising, behind those of the last call with the same settings.</param>
    /// <returns>float32 on the CPU, <c>[B, C, h, w]</c>.</returns>
    public Tensor Of(GenerateConfig variant, int[] places)
    {
        if (!ReferenceEquals(_of, variant))
        {
            Dispose();
            (_of, _generator, _next) = (variant, new Generator(seed, CPU), 0);
        }

        var (height, width) = pipeline.LatentSize(variant.Height, variant.Width);
        int[] ahead = [.. places.Select(place => place - _next)];
        _next = places[^1] + 1;
        return SeededNoise.NormalAt([1, pipeline.Transformer.Config.InChannels, height, width], _generator!, ahead);
    }

    /// <inheritdoc/>
    public void Dispose() => _generator?.Dispose();
}
