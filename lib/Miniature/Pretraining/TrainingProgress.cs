using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Where a training stands, to go on from there: steps, minutes, the place on the learning-rate schedule, and beside them weights, averages
/// and moments.
/// On disk a parameter takes 5 bytes: its weight 2 (float16), what its average differs by, and its two moments, 1 each (<see
/// cref="BlockCode"/>).
/// </summary>
/// <param name="Steps">Steps of all runs so far.</param>
/// <param name="Minutes">Minutes of all runs so far.</param>
/// <param name="Schedule">Place on the schedule, 0 to 1.</param>
internal sealed record TrainingProgress(long Steps, double Minutes, double Schedule)
{
    private const long PartLength = 11L << 18; // parameters in a file of 14 MiB

    /// <summary>The begin of a training.</summary>
    public static TrainingProgress Begin { get; } = new(0, 0, 0);

    /// <summary>Writes <c>NAME-state-1.safetensors</c> and so on, each below 15 MiB.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">First part of the files' names.</param>
    /// <param name="weights">Weights and averages.</param>
    /// <param name="optimizer">Has the moments.</param>
    public void Save(string folder, string name, FlatParameters weights, FlatAdamW optimizer)
    {
        using var noGradients = no_grad();
        var moments = optimizer.StateDict();
        using var step = moments["step"];
        for (var (first, part) = (0L, 1); first < weights.Length; first += PartLength, part++)
        {
            using var scope = NewDisposeScope();
            var length = Math.Min(PartLength, weights.Length - first);
            Tensor Part(Tensor flat) => flat.narrow(0, first, length).cpu();
            var values = Part(weights.Values).to(ScalarType.Float16);
            var (lead, leadScale) = BlockCode.EncodeSigned(Part(weights.Averages) - values.to(ScalarType.Float32));
            var (mean, meanScale) = BlockCode.EncodeSigned(Part(moments["exp_avg"]));
            var (square, squareScale) = BlockCode.EncodePositive(Part(moments["exp_avg_sq"]));
            SafetensorsWriter.Save(PathOf(folder, name, part), new Dictionary<string, Tensor>
            {
                ["values"] = values,
                ["averages"] = lead,
                ["averages.scale"] = leadScale,
                ["exp_avg"] = mean,
                ["exp_avg.scale"] = meanScale,
                ["exp_avg_sq"] = square,
                ["exp_avg_sq.scale"] = squareScale,
            }, new Dictionary<string, string>
            {
                ["parameters"] = Fingerprint(weights),
                ["first"] = Text(first),
                ["steps"] = Text(Steps),
                ["optimizer_steps"] = Text(optimizer.StepCount),
                ["minutes"] = Text(Minutes),
                ["schedule"] = Text(Schedule),
            });
        }
    }

    /// <summary>Takes over what <see cref="Save"/> wrote.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">First part of the files' names.</param>
    /// <param name="weights">Weights and averages.</param>
    /// <param name="optimizer">Takes the moments.</param>
    /// <exception cref="LabException">A file is missing or of another model.</exception>
    public static TrainingProgress Load(string folder, string name, FlatParameters weights, FlatAdamW optimizer)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (mean, square) = (zeros_like(weights.Values), zeros_like(weights.Values));
        TrainingProgress? progress = null;
        var optimizerSteps = 0L;
        for (var (first, part) = (0L, 1); first < weights.Length; first += PartLength, part++)
        {
            var path = PathOf(folder, name, part);
            if (!File.Exists(path))
                throw new LabException(
                    $"{path} is missing. To go on, all files of one state are needed, {name}-state-1.safetensors and so on.");
            using var file = Checkpoint.Open(path);
            if (file.Metadata.GetValueOrDefault("parameters") != Fingerprint(weights)
                || file.Metadata.GetValueOrDefault("first") != Text(first))
                throw new LabException(
                    $"{path} is the state of another model, or of another place in it: its parameters have other names or shapes.");
            var saved = new TrainingProgress(long.Parse(file.Metadata["steps"], CultureInfo.InvariantCulture), Number(file, "minutes"),
                Number(file, "schedule"));
            if (progress is not null && progress != saved)
                throw new LabException(
                    $"{path} was saved after {saved.Steps} steps, the one before it after {progress.Steps}. Restore all of one state.");
            progress = saved;
            optimizerSteps = long.Parse(file.Metadata["optimizer_steps"], CultureInfo.InvariantCulture);
            var values = file.Load("values").to(ScalarType.Float32);
            var length = values.numel();
            weights.Values.narrow(0, first, length).copy_(values);
            var apart = BlockCode.DecodeSigned(file.Load("averages"), file.Load("averages.scale"));
            weights.Averages.narrow(0, first, length).copy_(values.add(apart, KeptScalar.One));
            mean.narrow(0, first, length).copy_(BlockCode.DecodeSigned(file.Load("exp_avg"), file.Load("exp_avg.scale")));
            square.narrow(0, first, length).copy_(BlockCode.DecodePositive(file.Load("exp_avg_sq"), file.Load("exp_avg_sq.scale")));
        }

        optimizer.LoadStateDict(new Dictionary<string, Tensor>
        {
            ["step"] = tensor(optimizerSteps),
            ["exp_avg"] = mean,
            ["exp_avg_sq"] = square
        });
        weights.Publish();
        return progress!;
    }

    /// <summary>Whether a folder has such a state.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">First part of the files' names.</param>
    public static bool Exists(string folder, string name) => File.Exists(PathOf(folder, name, 1));

    private static string PathOf(string folder, string name, int part) => Path.Combine(folder, $"{name}-state-{part}.safetensors");

    private static string Fingerprint(FlatParameters weights) =>
        FileHash.Sha256OfText(weights.Layout)[..16];

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static double Number(Checkpoint file, string key) => double.Parse(file.Metadata[key], CultureInfo.InvariantCulture);
}
