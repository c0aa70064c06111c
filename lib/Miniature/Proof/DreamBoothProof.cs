using System.Diagnostics;
using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>
/// Puts DreamBooth on the miniature to the proof: trains the character by a recipe, with prior preservation and without, and lets the
/// classifier compare the pictures with those before.
/// </summary>
internal static class DreamBoothProof
{
    /// <summary>Runs the proof.</summary>
    /// <param name="options">What and how much.</param>
    /// <returns>
    /// The report, also written to <c>dreambooth.json</c> and <c>dreambooth.md</c> in the output folder, with <c>comparison.png</c>.
    /// </returns>
    /// <exception cref="LabException">A folder is missing or damaged, or the recipe is not valid.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static DreamBoothReport Run(DreamBoothProofOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var (lora, seconds) = options.Lora is { } given ? (given, 0) : Train(options, "lora", options.Training.WithPriorPreservation);
        var compared = options.Lora is not null ? options.LoraWithoutPrior
            : options.ComparePrior ? Train(options, "lora-without-prior", false).Folder : null;
        using var noGradients = no_grad();
        using var probe = new DreamBoothProbe(options);
        var ceiling = probe.Ceiling();
        options.Log(
            string.Create(
                CultureInfo.InvariantCulture,
                $"real pictures: fidelity {ceiling.Fidelity:F3}, identity {ceiling.Identity:P0}; after the autoencoder: "
                + $"fidelity {ceiling.DecodedFidelity:F3}, identity {ceiling.DecodedIdentity:P0}"));
        DreamBoothReading Measure(string name, string? folder)
        {
            options.Log($"Pictures {name}");
            var reading = probe.Measure(name, folder);
            var adherence = string.Join(
                ", ", reading.Adherence.Values.Select(value => value.ToString("P0", CultureInfo.InvariantCulture)));
            options.Log(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"fidelity {reading.Fidelity:F3}, identity {reading.Identity:P0}, without the identifier {reading.ClassIdentity:P0}, "
                    + $"adherence {adherence}"));
            return reading;
        }

        var report = new DreamBoothReport(
            seconds, get_num_threads(), ceiling, Measure("before", null), Measure("after", lora),
            compared is null ? null : Measure("without-prior", compared));
        probe.SaveComparison();
        JsonFile.Write(Path.Combine(options.Output, "dreambooth.json"), report);
        AtomicFile.WriteAllText(Path.Combine(options.Output, "dreambooth.md"), report.ToMarkdown());
        return report;
    }

    // Class pictures are generated again, so that the time is the whole training's.
    private static (string Folder, double Seconds) Train(DreamBoothProofOptions options, string name, bool prior)
    {
        var folder = Path.Combine(options.Output, name);
        var classPictures = Path.Combine(options.Output, name + "-class");
        if (Directory.Exists(classPictures))
            Directory.Delete(classPictures, recursive: true);
        var config = options.Training with
        {
            WithPriorPreservation = prior,
            ClassDataDir = prior ? classPictures : null,
            ClassPrompt = prior ? options.Training.ClassPrompt : null,
            OutputDir = folder,
        };
        options.Log($"Training {name}");
        var started = Stopwatch.GetTimestamp();
        var summary = TrainingSession.Train(
            config, new TrainingEvents { OnStage = options.Log, OnWarning = options.Log }, options.Cancellation);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        options.Log(FormattableString.Invariant($"{summary.Steps} steps, {seconds:F0} s"));
        options.Cancellation.ThrowIfCancellationRequested();
        return (Path.Combine(folder, LoraFile.DefaultName), seconds);
    }
}
