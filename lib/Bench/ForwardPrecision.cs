namespace Dreambooth.Lab.Bench;

/// <summary>How far the transformer's output in bfloat16 is from float32's, on the same weights and inputs.</summary>
/// <param name="RelativeError">‖bf16 − fp32‖ / ‖fp32‖ of the prediction.</param>
/// <param name="OutputDeviation">
/// Standard deviation of float32's prediction: whether the random network is a well-behaved one (about 0.1 to 10).
/// </param>
internal sealed record ForwardPrecision(double RelativeError, double OutputDeviation)
{
    /// <summary>The largest error that passes.</summary>
    public const double Limit = 1.5e-2;

    /// <summary>Whether the error is within the limit and the network well-behaved.</summary>
    public bool Passed => RelativeError <= Limit && OutputDeviation is > 0.05 and < 20;
}
