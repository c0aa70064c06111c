using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// AdamW with moments of 8 bits over one flat tensor of parameters: in blocks of 256, which begin anew at each tensor
/// (<see cref="ParameterGroup.Shapes"/>); tensors of fewer than 4,096 numbers keep moments of 32 bits.
/// </summary>
/// <remarks>
/// Source of the numerics: Dettmers et al., arXiv 2110.02861, AdamW8bit of bitsandbytes 95f9af3: the weights move by the moments as they
/// are before they become codes, and the weight decay comes after the step. The state: codes <c>exp_avg</c> and <c>exp_avg_sq</c> with
/// each block's largest number <c>absmax1</c> and <c>absmax2</c>; moments of small tensors <c>exp_avg_32</c> and <c>exp_avg_sq_32</c>.
/// </remarks>
public sealed class FlatAdamW8Bit : FlatOptimizer
{
    /// <summary>Tensors of fewer numbers keep moments of 32 bits.</summary>
    public const int SmallestInCodes = 4096;

    // Intermediate values of one portion of a long run are in memory at a time.
    private const long MostBlocks = 16_384;

    private readonly AdamWConfig _config;
    private readonly BlockCodes _signed, _unsigned;
    private readonly List<Stretch> _stretches;
    private readonly Tensor _mean, _meanSquare, _largestMean, _largestSquare, _smallMean, _smallSquare;

    /// <summary>Creates an optimizer with zero moments.</summary>
    /// <param name="parameters">All parameters, [N], contiguous, float32; changed by each step. Stays the caller's.</param>
    /// <param name="gradients">Their gradients, [N], same type and device; read by each step. Stays the caller's.</param>
    /// <param name="groups">Stretches that do not overlap; elements outside all of them are left alone.</param>
    /// <param name="config">The settings that all share; the defaults when null.</param>
    /// <exception cref="LabException">A setting, rate or weight decay is out of range.</exception>
    /// <exception cref="ArgumentException">Tensors do not match, or a group overlaps another or lies outside.</exception>
    public FlatAdamW8Bit(Tensor parameters, Tensor gradients, IReadOnlyList<ParameterGroup> groups, AdamWConfig? config = null)
        : base(parameters, gradients, groups)
    {
        _config = config ?? new();
        _config.Validate();
        if (parameters.dtype != ScalarType.Float32)
            throw new ArgumentException($"parameters are {parameters.dtype}; moments of 8 bits are for Float32", nameof(parameters));
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        _stretches = [.. StretchesOf(groups)];
        long coded = 0, blocks = 0, small = 0;
        foreach (var stretch in _stretches)
        {
            (stretch.Codes, stretch.FirstBlock, stretch.Small) = (coded, blocks, small);
            if (stretch.Block == 0)
                small += stretch.Length;
            else
                (coded, blocks) = (coded + stretch.Length, blocks + stretch.Blocks);
        }

        Tensor Zeros(string name, long length, ScalarType type) => Keep(name, zeros([length], type, parameters.device));
        _signed = new BlockCodes(signed: true, parameters.device);
        _unsigned = new BlockCodes(signed: false, parameters.device);
        _mean = Zeros("exp_avg", coded, ScalarType.Byte);
        _meanSquare = Zeros("exp_avg_sq", coded, ScalarType.Byte);
        _largestMean = Zeros("absmax1", blocks, ScalarType.Float32);
        _largestSquare = Zeros("absmax2", blocks, ScalarType.Float32);
        _smallMean = Zeros("exp_avg_32", small, ScalarType.Float32);
        _smallSquare = Zeros("exp_avg_sq_32", small, ScalarType.Float32);
    }

    private protected override IEnumerable<Tensor> Watched => [_largestSquare, _smallSquare];

    /// <summary>The bytes of the state for tensors of given shapes, without the number of steps.</summary>
    internal static long BytesOf(IEnumerable<IReadOnlyList<long>> shapes) => shapes.Select(ParameterGroup.Count).Sum(count =>
        2 * (count < SmallestInCodes
            ? count * sizeof(float)
            : count + ((count + BlockCodes.BlockSize - 1) / BlockCodes.BlockSize * sizeof(float))));

    private protected override void Update(double learningRateFactor)
    {
        foreach (var stretch in _stretches)
        {
            var group = Groups[stretch.Group];
            var rate = group.LearningRate * learningRateFactor;
            if (stretch.Block == 0)
            {
                var (mean, square) = (_smallMean.narrow(0, stretch.Small, stretch.Length),
                    _smallSquare.narrow(0, stretch.Small, stretch.Length));
                Move(stretch.Offset, mean, square, rate, group.WeightDecay);
                continue;
            }

            for (long block = 0; block < stretch.Blocks; block += MostBlocks)
                Update(stretch, block, Math.Min(MostBlocks, stretch.Blocks - block), rate, group.WeightDecay);
        }
    }

    private void Update(Stretch stretch, long block, long blocks, double rate, double decay)
    {
        using var scope = NewDisposeScope();
        Tensor Blocks(Tensor codes) =>
            codes.narrow(0, stretch.Codes + (block * stretch.Block), blocks * stretch.Block).view(blocks, stretch.Block);
        Tensor Largest(Tensor largest) => largest.narrow(0, stretch.FirstBlock + block, blocks);
        var mean = _signed.Decode(Blocks(_mean), Largest(_largestMean));
        var square = _unsigned.Decode(Blocks(_meanSquare), Largest(_largestSquare));
        Move(stretch.Offset + (block * stretch.Block), mean.view(-1), square.view(-1), rate, decay);
        _signed.Encode(mean, Blocks(_mean), Largest(_largestMean));
        _unsigned.Encode(square, Blocks(_meanSquare), Largest(_largestSquare));
    }

    // Updates moments in place and moves the weights by them.
    private void Move(long offset, Tensor mean, Tensor square, double rate, double decay)
    {
        var (weights, gradients) = (Parameters.narrow(0, offset, mean.numel()), Gradients.narrow(0, offset, mean.numel()));
        var meanCorrection = 1 - Math.Pow(_config.Beta1, StepCount);
        var rootCorrection = Math.Sqrt(1 - Math.Pow(_config.Beta2, StepCount));
        using var step = KeptScalar.Once(InRange(-rate * rootCorrection / meanCorrection));
        using var epsilon = KeptScalar.Once(rootCorrection * _config.Epsilon);
        using var kept = KeptScalar.Once(InRange(1 - (rate * decay)));
        square.mul_(KeptScalar.Of(_config.Beta2)).addcmul_(gradients, gradients, KeptScalar.Of(1 - _config.Beta2));
        mean.mul_(KeptScalar.Of(_config.Beta1)).add_(gradients, KeptScalar.Of(1 - _config.Beta1));
        weights.addcdiv_(mean, square.sqrt().add_(epsilon, KeptScalar.One), step);
        if (decay != 0)
            weights.mul_(kept);
    }

    private protected override void Free()
    {
        _signed?.Dispose();
        _unsigned?.Dispose();
    }

    // Whole blocks that follow one another are one stretch; a tensor's last block may be shorter and is one of its own.
    private static IEnumerable<Stretch> StretchesOf(IReadOnlyList<ParameterGroup> groups)
    {
        for (var index = 0; index < groups.Count; index++)
        {
            Stretch? open = null;
            foreach (var (offset, block, length) in groups[index].Tensors.SelectMany(Pieces))
            {
                if (open is not null && open.Block == block && block is 0 or BlockCodes.BlockSize && open.Offset + open.Length == offset)
                {
                    open.Length += length;
                    continue;
                }

                if (open is not null)
                    yield return open;
                open = new Stretch { Group = index, Offset = offset, Block = block, Length = length };
            }

            if (open is not null)
                yield return open;
        }
    }

    private static IEnumerable<(long Offset, int Block, long Length)> Pieces((long Offset, IReadOnlyList<long> Shape) tensor)
    {
        var count = ParameterGroup.Count(tensor.Shape);
        var rest = (int)(count % BlockCodes.BlockSize);
        if (count < SmallestInCodes)
            return [(tensor.Offset, 0, count)];
        var whole = (tensor.Offset, BlockCodes.BlockSize, count - rest);
        return rest == 0 ? [whole] : [whole, (tensor.Offset + count - rest, rest, rest)];
    }

    /// <summary>A stretch of the flat buffers of which the moments are alike.</summary>
    private sealed class Stretch
    {
        public required int Group { get; init; }

        public required long Offset { get; init; }

        /// <summary>Numbers of a block; 0 for moments of 32 bits.</summary>
        public required int Block { get; init; }

        public required long Length { get; set; }

        public long Blocks => Length / Block;

        public long Codes { get; set; }

        public long FirstBlock { get; set; }

        public long Small { get; set; }
    }
}
