using System.Text.Json;
using Dreambooth.Lab.Foundation;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>The figures of a run over its steps: written as JSON after each report, so that a cut run leaves them behind.</summary>
/// <param name="path">The file.</param>
internal sealed class TrainingCurve(string path)
{
    private readonly List<IReadOnlyDictionary<string, double>> _points = [];

    /// <summary>Adds a point and writes the file.</summary>
    /// <param name="figures">Names and values; <c>step</c> and <c>minutes</c> among them.</param>
    public void Add(params (string Name, double Value)[] figures)
    {
        ArgumentNullException.ThrowIfNull(figures);
        _points.Add(figures.ToDictionary(figure => figure.Name, figure => Math.Round(figure.Value, 6)));
        AtomicFile.WriteAllText(path, "[\n" + string.Join(",\n", _points.Select(point => JsonSerializer.Serialize(point))) + "\n]\n");
    }

    /// <summary>A point as a progress line.</summary>
    /// <param name="what">What is trained.</param>
    /// <param name="figures">Names and values.</param>
    public static string Line(string what, params (string Name, double Value)[] figures) =>
        what + string.Concat(figures.Select(figure => FormattableString.Invariant($"  {figure.Name} {figure.Value:0.#####}")));
}
