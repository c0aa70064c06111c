namespace Dreambooth.Lab.Training;

/// <summary>
/// Tells when the loss explodes: in several steps in a row it is far above the median of the steps before. One high step says nothing,
/// since a step's loss varies with the noise that it draws; the median follows a loss that changes slowly, without the high steps.
/// </summary>
/// <param name="factor">How many times the median a step's loss is above to count as high, more than 1.</param>
internal sealed class SpikeWatch(double factor)
{
    /// <summary>So many high steps in a row are a spike.</summary>
    public const int InARow = 5;

    /// <summary>So many steps the median is of, the last that were not high.</summary>
    public const int Window = 50;

    /// <summary>With fewer, no step counts as high.</summary>
    public const int Fewest = 20;

    private readonly Queue<double> _usual = new();
    private readonly List<double> _high = [];

    /// <summary>The first of the high steps up to now; null where the last step was not high.</summary>
    public int? First { get; private set; }

    /// <summary>The losses of the high steps.</summary>
    public IReadOnlyList<double> High => _high;

    /// <summary>The median that they are compared with.</summary>
    public double Median { get; private set; }

    /// <summary>Takes in a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="loss">Its loss.</param>
    /// <returns>Whether it completes a spike.</returns>
    public bool Add(int step, double loss)
    {
        if (_usual.Count >= Fewest)
        {
            double[] sorted = [.. _usual.Order()];
            Median = (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
            if (loss > factor * Median)
            {
                First ??= step;
                _high.Add(loss);
                return _high.Count >= InARow;
            }
        }

        First = null;
        _high.Clear();
        _usual.Enqueue(loss);
        if (_usual.Count > Window)
            _usual.Dequeue();
        return false;
    }
}
