using static TorchSharp.torch;

namespace Dreambooth.Lab.Schedulers;

/// <summary>The last predictions of the data with their levels λ = log((1 − σ)/σ), the newest first.</summary>
/// <param name="most">How many are kept.</param>
internal sealed class DataHistory(int most) : IDisposable
{
    private readonly List<(double Lambda, Tensor Data)> _kept = [];

    /// <summary>How many there are.</summary>
    public int Count => _kept.Count;

    /// <summary>One of them; 0 is the newest.</summary>
    public (double Lambda, Tensor Data) this[int age] => _kept[age];

    /// <summary>Half of the logarithm of signal to noise: ∞ at σ = 0, −∞ at σ = 1.</summary>
    /// <param name="sigma">The noise level.</param>
    public static double Lambda(double sigma) => Math.Log(1 - sigma) - Math.Log(sigma);

    /// <summary>Takes a prediction in; the oldest is freed where there are too many.</summary>
    /// <param name="sigma">Its level.</param>
    /// <param name="data">The data; kept beyond the dispose scope.</param>
    public void Add(double sigma, Tensor data)
    {
        _kept.Insert(0, (Lambda(sigma), data.DetachFromDisposeScope()));
        if (_kept.Count <= most)
            return;
        _kept[^1].Data.Dispose();
        _kept.RemoveAt(_kept.Count - 1);
    }

    /// <summary>Frees them.</summary>
    public void Dispose()
    {
        foreach (var (_, data) in _kept)
            data.Dispose();
        _kept.Clear();
    }
}
