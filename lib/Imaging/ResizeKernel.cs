namespace Dreambooth.Lab.Imaging;

/// <summary>
/// The weights of an antialiased resize along one side, each output place's summing to 1. Source: Pillow 12, libImaging/Resample.c;
/// torch's <c>interpolate(..., antialias=True)</c> has the same.
/// </summary>
internal readonly struct ResizeKernel
{
    private readonly ResizeFilter _filter;
    private readonly int _inputs;
    private readonly double _scale;
    private readonly double _support;
    private readonly double _inverse;

    /// <summary>Prepares.</summary>
    /// <param name="filter">Which filter.</param>
    /// <param name="inputs">Places before, at least 1.</param>
    /// <param name="outputs">Places after, at least 1.</param>
    public ResizeKernel(ResizeFilter filter, int inputs, int outputs)
    {
        (_filter, _inputs) = (filter, inputs);
        _scale = (double)inputs / outputs;
        var widening = Math.Max(_scale, 1.0);
        _support = (filter switch { ResizeFilter.Lanczos => 3.0, ResizeFilter.Bicubic => 2.0, _ => 1.0 }) * widening;
        _inverse = 1.0 / widening;
    }

    /// <summary>The most weights that an output place has.</summary>
    public int MostWeights => (int)Math.Ceiling(_support) * 2 + 1;

    /// <summary>Computes the weights of one output place.</summary>
    /// <param name="output">The place, from 0.</param>
    /// <param name="weights">Receives them; at least <see cref="MostWeights"/> long.</param>
    /// <returns>The first input place and how many there are.</returns>
    public (int First, int Count) Weigh(int output, Span<double> weights)
    {
        var center = (output + 0.5) * _scale;
        var first = Math.Max((int)(center - _support + 0.5), 0);
        var count = Math.Min((int)(center + _support + 0.5), _inputs) - first;
        var total = 0.0;
        for (var i = 0; i < count; i++)
            total += weights[i] = At((i + first - center + 0.5) * _inverse);
        for (var i = 0; i < count; i++)
            weights[i] /= total;
        return (first, count);
    }

    private double At(double x) => _filter switch
    {
        ResizeFilter.Lanczos => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0,
        ResizeFilter.Bicubic => CubicConvolution.Weight(x, -0.5),
        _ => Math.Max(1.0 - Math.Abs(x), 0.0),
    };

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);
}
