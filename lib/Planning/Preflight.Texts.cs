using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Training;

namespace Dreambooth.Lab.Planning;

/// <content>Texts, length and time, and what a training says of them at its start.</content>
public static partial class Preflight
{
    /// <summary>
    /// What a training says at its start beside what it says of its pictures and texts: the identifier's tokens, the LoRA, length, time
    /// and disk. Checks that fail are left out, since the training itself says what is wrong.
    /// </summary>
    /// <param name="config">The training, with the micro-batches of all ranks together.</param>
    /// <param name="batches">The micro-batches of an epoch.</param>
    internal static IReadOnlyList<PreflightCheck> Brief(DreamBoothConfig config, BatchSampler batches)
    {
        try
        {
            config = InitialLora.Planned(config);
            List<PreflightCheck> checks = [];
            var model = Model(config, out var path, out var architecture);
            if (model.Status == PreflightStatus.Problem)
                return [];
            checks.AddRange(Texts(config, path, []));
            if (architecture is not null)
                checks.Add(LoraCheck.Of(config, architecture));
            checks.AddRange(Length(config, batches, tells: false, out var steps));
            if (checks.TrueForAll(check => check.Status != PreflightStatus.Problem))
                checks.Add(DiskCheck.Of(config, architecture, steps));
            return [.. checks.Where(check => check.Status != PreflightStatus.Problem)];
        }
        catch (LabException)
        {
            return [];
        }
    }

    private static bool Lacks(DreamBoothConfig config) => string.IsNullOrEmpty(config.PretrainedModelNameOrPath)
        || (config.Subjects is null && (string.IsNullOrEmpty(config.InstancePrompt)
            || (string.IsNullOrEmpty(config.InstanceDataDir) && config.DatasetName is null)));

    private static BatchSampler Batches(DreamBoothConfig config, List<DreamBoothDataset> datasets)
    {
        var options = config.DatasetOptions();
        var whole = datasets.Count == 1 ? datasets[0] : DreamBoothDataset.Load(
            options.WithoutClasses() with { OnBadImage = BadImagePolicy.Skip, MinImageSize = 1, Mask = MaskSource.None });
        return whole.Sampler(whole.CountWith(options), config.TrainBatchSize, seed: 0);
    }

    // Without data sets the identifiers alone.
    private static IEnumerable<PreflightCheck> Texts(
        DreamBoothConfig config, string? model, IReadOnlyList<DreamBoothDataset> datasets)
    {
        IReadOnlyList<PromptReader> readers;
        try
        {
            readers = PromptReader.Open(config, model);
        }
        catch (LabException error)
        {
            return [new("texts", PreflightStatus.Problem, error.Message)];
        }

        var identifiers = config.PerSubject().Select(subject => IdentifierCheck.Of(
            subject.InstancePrompt, config.WithPriorPreservation ? subject.ClassPrompt : null, readers));
        List<(string, string)> texts = [.. datasets.SelectMany(WindowCheck.Captions)];
        if (texts.Count == 0)
            return identifiers;
        texts.AddRange(config.PerClass().Select(one => (one.ClassPrompt!, "class_prompt")));
        return [.. identifiers, WindowCheck.Of(texts, readers)];
    }

    private static IEnumerable<PreflightCheck> Length(DreamBoothConfig config, BatchSampler? batches, bool tells, out int? steps)
    {
        steps = config.MaxTrainSteps;
        if (batches is null)
            return [];
        try
        {
            var length = TrainingLength.Of(config, batches);
            steps = length.Steps;

            // With max_train_steps the settings tell the first.
            string?[] all =
            [
                config.MaxTrainSteps is null ? config.WarmUpNotice(length.Steps, "the run's steps") : null,
                config.BatchNotice(length.Items),
            ];
            string[] notices = tells ? [.. all.OfType<string>()] : [];
            return
            [
                new(
                    "length", notices.Length == 0 ? PreflightStatus.Ok : PreflightStatus.Warning,
                    string.Join(" ", notices.Prepend(length.Describe(config) + "."))),
                new("time", PreflightStatus.Ok, StepTime.Describe(StepTime.Find(config), length.Steps)),
            ];
        }
        catch (LabException error)
        {
            return [new("length", PreflightStatus.Problem, error.Message)];
        }
    }
}
