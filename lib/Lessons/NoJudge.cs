using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Lessons;

/// <summary>Stands where no judge can be had: the notebook goes on without scores.</summary>
/// <param name="reason">Why, and what to do; it stands in the place of every score.</param>
internal sealed class NoJudge(string reason) : IPictureJudge
{
    /// <inheritdoc/>
    public string Name => reason;

    /// <inheritdoc/>
    public string FidelityScore => "fidelity";

    /// <inheritdoc/>
    public string AdherenceScore => "adherence";

    /// <inheritdoc/>
    public double Ceiling => double.NaN;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image) => new Dictionary<string, double>();

    /// <inheritdoc/>
    public void Dispose()
    {
        // It holds nothing.
    }
}
