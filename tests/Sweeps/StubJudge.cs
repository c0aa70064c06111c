using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Tests.Sweeps;

/// <summary>Scores pictures by a function.</summary>
internal sealed class StubJudge(string name, Func<string, RgbImage, IReadOnlyDictionary<string, double>> score) : IPictureJudge
{
    public string Name => name;

    public string Fingerprint { get; init; } = "photos";

    public string FidelityScore => "fidelity";

    public string AdherenceScore => "adherence";

    public double Ceiling => 1;

    public IReadOnlyDictionary<string, double> Score(string prompt, RgbImage image) => score(prompt, image);

    public void Dispose()
    {
    }
}
