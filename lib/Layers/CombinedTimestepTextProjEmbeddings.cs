using Dreambooth.Lab.Tensors;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Layers;

/// <summary>
/// The conditioning vector of every block: the embedded timestep plus the embedded pooled text.
/// Letters: B rows, P width of the pooled text, D width.
/// </summary>
public sealed class CombinedTimestepTextProjEmbeddings : nn.Module<Tensor, Tensor, Tensor>
{
    /// <summary>Width of the sinusoidal embedding of the timestep.</summary>
    public const long TimeChannels = 256;

    /// <summary>Declares the layers.</summary>
    /// <param name="pooledWidth">P.</param>
    /// <param name="width">D.</param>
    /// <param name="device">Device of the parameters.</param>
    /// <param name="dtype">Element type of the parameters.</param>
    public CombinedTimestepTextProjEmbeddings(long pooledWidth, long width, Device device, ScalarType dtype)
        : base(nameof(CombinedTimestepTextProjEmbeddings))
    {
        TimestepEmbedder = new TimestepEmbedding(TimeChannels, width, device, dtype);
        TextEmbedder = new TimestepEmbedding(pooledWidth, width, device, dtype);
        RegisterComponents();
    }

    /// <summary>Embeds the sinusoids of the timestep.</summary>
    [field: ComponentName(Name = "timestep_embedder")]
    public TimestepEmbedding TimestepEmbedder { get; }

    /// <summary>Embeds the pooled text.</summary>
    [field: ComponentName(Name = "text_embedder")]
    public TimestepEmbedding TextEmbedder { get; }

    /// <summary>
    /// Sinusoids of the timestep: cosines first, then sines, at frequencies <c>10000^(-i/128)</c>.
    /// </summary>
    /// <param name="timestep">Timesteps 0 to 1000, <c>[B]</c>.</param>
    /// <returns>float32, <c>[B, 256]</c>.</returns>
    public static Tensor Sinusoids(Tensor timestep)
    {
        using var scope = NewDisposeScope();
        const long half = TimeChannels / 2;
        var exponent = KeptScalar.Range(0, half, ScalarType.Float32, timestep.device).mul(KeptScalar.Of(-Math.Log(10000) / half));
        var angle = timestep.to(ScalarType.Float32).unsqueeze(1) * exp(exponent).unsqueeze(0);
        return cat([cos(angle), sin(angle)], dim: -1).MoveToOuterDisposeScope();
    }

    /// <summary>Computes the conditioning vector.</summary>
    /// <param name="timestep">Timesteps 0 to 1000, <c>[B]</c>.</param>
    /// <param name="pooledProjections">Pooled text, <c>[B, P]</c>.</param>
    /// <returns><c>[B, D]</c>.</returns>
    public override Tensor forward(Tensor timestep, Tensor pooledProjections)
    {
        using var scope = NewDisposeScope();
        var time = TimestepEmbedder.call(Sinusoids(timestep).to(pooledProjections.dtype));
        return time.add(TextEmbedder.call(pooledProjections), KeptScalar.One).MoveToOuterDisposeScope();
    }
}
