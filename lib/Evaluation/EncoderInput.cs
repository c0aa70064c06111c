using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>Pictures prepared for both encoders. Letters: B pictures, H and W the sides that each encoder takes.</summary>
/// <param name="Dino">float32 on the CPU, <c>[B, 3, H, W]</c>.</param>
/// <param name="Clip">float32 on the CPU, <c>[B, 3, H, W]</c>.</param>
internal sealed record EncoderInput(Tensor Dino, Tensor Clip) : IDisposable
{
    // The middle, 70 % of each side, is where a subject usually is.
    private const double Margin = 0.15;

    /// <summary>DINO's input with the middle of each picture covered by the mean colour; the caller's.</summary>
    public Tensor Surroundings()
    {
        using var scope = NewDisposeScope();
        var (height, width) = (Dino.shape[2], Dino.shape[3]);
        long top = (long)(Margin * height), left = (long)(Margin * width);
        var covered = Dino.clone();
        covered.narrow(2, top, height - (2 * top)).narrow(3, left, width - (2 * left)).zero_();
        return covered.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dino.Dispose();
        Clip.Dispose();
    }
}
