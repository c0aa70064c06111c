using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Proof;

/// <summary>
/// Puts the judge by encoders to the proof on the miniature: whether it puts checkpoints in the order in which the classifier does, finds
/// the copies of a LoRA that was made to copy and none in the one that ships, and sees what prior preservation is for.
/// </summary>
internal sealed class JudgeProof : IDisposable
{
    private const ulong BootstrapSeed = 15;

    private readonly JudgeProofOptions _options;
    private readonly JudgeTrainings _trainings;
    private readonly SubjectEncoders _encoders;
    private readonly CharacterMeasures _classifier;
    private readonly JudgePictures _pictures;
    private readonly SubjectEmbeddings _real;

    private JudgeProof(JudgeProofOptions options)
    {
        _options = options;
        _trainings = new JudgeTrainings(options);
        _trainings.Run();
        _encoders = SubjectEncoders.Load(
            Path.Combine(options.Encoders, "dino"), Path.Combine(options.Encoders, "clip"), options.Protocol, CPU, ScalarType.Float32);
        _classifier = CharacterMeasures.Load(options.Classifier, options.Training.InstanceDataDir);
        _pictures = new JudgePictures(options);
        _real = _encoders.Encode(RealPictures.Load(options.Training.InstanceDataDir));
    }

    /// <summary>Runs the proof.</summary>
    /// <param name="options">What and how much.</param>
    /// <returns>The report, also written to <c>judge.json</c> and <c>judge.md</c> in the output folder.</returns>
    /// <exception cref="LabException">A folder is missing or damaged, or the recipe is not valid.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static JudgeReport Run(JudgeProofOptions options)
    {
        foreach (var folder in (string[])["dino", "clip"])
            MiniatureFolder.Verify(Path.Combine(options.Encoders, folder));
        using var proof = new JudgeProof(options);
        var report = proof.Run();
        JsonFile.Write(Path.Combine(options.Output, "judge.json"), report);
        AtomicFile.WriteAllText(Path.Combine(options.Output, "judge.md"), report.ToMarkdown());
        return report;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encoders.Dispose();
        _classifier.Dispose();
        _pictures.Dispose();
    }

    private JudgeReport Run()
    {
        var stages = new List<CheckpointScores> { Scores(0, "base", null) };
        foreach (var (step, folder) in LoraCheckpoints.List(_trainings.Prior))
            stages.Add(Scores(step, $"step-{step}", folder));
        if (stages[^1].Step < _options.Training.MaxTrainSteps)
            stages.Add(Scores(_options.Training.MaxTrainSteps!.Value, "final", _trainings.Prior));
        var few = _encoders.Encode(RealPictures.Load(_trainings.FewPhotos));
        var asItIs = Class("base", null);
        var with = Class("prior", _trainings.Prior);
        var without = Class("without-prior", _trainings.WithoutPrior);
        return new JudgeReport(
            _encoders.Name, SubjectScores.Ceiling(_real.Dino).Average(), stages, Copies("overtrained", _trainings.Overtrained, few.Dino),
            Copies("shipped", _options.Shipped, _real.Dino), Drift(asItIs, asItIs), Drift(with, asItIs), Drift(without, asItIs),
            Bootstrap.Difference(Distances(with, asItIs), Distances(without, asItIs), BootstrapSeed),
            Bootstrap.Difference(Preservation(with), Preservation(without), BootstrapSeed));
    }

    private CheckpointScores Scores(int step, string name, string? lora)
    {
        var prompts = _pictures.Photos;
        var images = _pictures.Of(name, lora, prompts);
        var seen = _encoders.Encode(images);
        using var scope = NewDisposeScope();
        var readings = images.Select((image, i) => _classifier.Score(prompts[i], image)).ToArray();
        var scores = new CheckpointScores(
            step, SubjectScores.Fidelity(seen.Dino, _real.Dino).Average(), SubjectScores.Fidelity(seen.Clip, _real.Clip).Average(),
            SubjectScores.PromptFidelity(seen.Clip, _encoders.Encode(prompts)).Average(),
            readings.Average(reading => reading[_classifier.FidelityScore]),
            readings.Where(reading => reading.ContainsKey(_classifier.AdherenceScore))
                .Average(reading => reading[_classifier.AdherenceScore]));
        _options.Log(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: DINO {scores.Dino:F3}, classifier {scores.Classifier:F3}, CLIP-T {scores.ClipText:F3}"));
        return scores;
    }

    private CopyReading Copies(string name, string lora, UnitVectors training)
    {
        var search = new CopySearch(training);
        var found = search.Find(_encoders.Encode(_pictures.Of($"{name}-plain", lora, _pictures.Plain)).Dino);
        return new CopyReading(
            search.Threshold!.Value, found.Average(nearest => nearest.Similarity), found.Max(nearest => nearest.Similarity),
            found.Count(nearest => nearest.IsCopy), found.Count);
    }

    private UnitVectors Class(string name, string? lora) =>
        _encoders.Encode(_pictures.Of($"{name}-class", lora, _pictures.AnyCat)).Dino;

    private DriftReading Drift(UnitVectors ofTheClass, UnitVectors asItIs) => new(
        Bootstrap.Mean(Distances(ofTheClass, asItIs), BootstrapSeed), Bootstrap.Mean(Preservation(ofTheClass), BootstrapSeed));

    private static ScoreSample[] Distances(UnitVectors ofTheClass, UnitVectors asItIs) =>
        [.. Enumerable.Range(0, asItIs.Count).Select(i => new ScoreSample(0, i, Math.Max(0, 1 - ofTheClass.Cosine(i, asItIs, i))))];

    private ScoreSample[] Preservation(UnitVectors ofTheClass) =>
        [.. SubjectScores.PriorPreservation(ofTheClass, _real.Dino).Select((value, i) => new ScoreSample(0, i, value))];
}
