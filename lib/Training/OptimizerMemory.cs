namespace Dreambooth.Lab.Training;

/// <summary>How much memory an optimizer takes.</summary>
/// <param name="Kind">The optimizer.</param>
/// <param name="SliceP">Prodigy's sums and first weights hold every nth number of a tensor.</param>
/// <param name="Ema">Whether a moving average of the weights is kept.</param>
internal sealed record OptimizerMemory(OptimizerKind Kind = OptimizerKind.AdamW, int SliceP = 1, bool Ema = false)
{
    /// <summary>In words what the state is.</summary>
    public string What => Kind switch
    {
        OptimizerKind.AdamW8Bit => "AdamW's two moments, in 8 bits for tensors of 4,096 numbers or more",
        OptimizerKind.Lion => "Lion's moment, float32",
        OptimizerKind.Prodigy => "Prodigy's two moments, sums and first weights, float32",
        OptimizerKind.ScheduleFree => "schedule-free AdamW's fast weights and mean squares, float32",
        OptimizerKind.Adafactor => "Adafactor's mean squares of rows and columns, float32",
        _ => "AdamW's two moments, float32",
    };

    /// <summary>How often there are weights beside the LoRA's: those that are trained, and a moving average.</summary>
    public int Copies => Ema ? 2 : Kind == OptimizerKind.ScheduleFree ? 1 : 0;

    /// <summary>The bytes of the state, but for some single numbers.</summary>
    /// <param name="shapes">The shapes of all tensors that are trained.</param>
    public long StateBytes(IReadOnlyList<IReadOnlyList<long>> shapes)
    {
        var numbers = sizeof(float) * shapes.Sum(ParameterGroup.Count);
        return Kind switch
        {
            OptimizerKind.AdamW8Bit => FlatAdamW8Bit.BytesOf(shapes),
            OptimizerKind.Lion => numbers,
            OptimizerKind.Prodigy =>
                2 * (numbers + (sizeof(float) * shapes.Sum(shape => (ParameterGroup.Count(shape) + SliceP - 1) / SliceP))),
            OptimizerKind.Adafactor => FlatAdafactor.BytesOf(shapes),
            _ => 2 * numbers,
        };
    }
}
