using Dreambooth.Lab.Data;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Native;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Training;

/// <summary>
/// A whole DreamBooth training: load the model, make missing class pictures, encode pictures and prompts, train a LoRA and
/// save it as <c>pytorch_lora_weights.safetensors</c> beside <c>recipe.json</c> and <c>steps.jsonl</c>.
/// </summary>
public sealed class DreamBoothRun
{
    private readonly DreamBoothConfig _config;
    private readonly DreamBoothRunEvents _events;
    private readonly ulong _seed;

    /// <summary>Prepares a run.</summary>
    /// <param name="config">What and how; validated here.</param>
    /// <param name="events">Callbacks, or null.</param>
    public DreamBoothRun(DreamBoothConfig config, DreamBoothRunEvents? events = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        _seed = (ulong)(config.Seed ?? Random.Shared.NextInt64(uint.MaxValue));
        _config = config with { Seed = (long)_seed };
        _events = events ?? new DreamBoothRunEvents();
    }

    /// <summary>Runs it from beginning to end.</summary>
    /// <param name="cancellation">Ends the run; a LoRA of the steps done is saved when there are any.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="LabException">A folder, a picture, or the model is wrong; the message names it.</exception>
    /// <exception cref="OperationCanceledException">It was ended before its first step.</exception>
    public TrainingSummary Execute(CancellationToken cancellation = default)
    {
        var device = DeviceSelection.Parse(_config.Device);
        _events.OnStage?.Invoke($"Loading {_config.PretrainedModelNameOrPath}");
        using var pipeline = StableDiffusion3Pipeline.Load(_config.PretrainedModelNameOrPath, new PipelineOptions
        {
            Device = device,
            Dtype = _config.ComputeDtype(),
            TokenizersFolder = _config.Tokenizers,
        });
        pipeline.Prompts.Warn = _events.OnWarning;
        return Execute(pipeline, ownsPipeline: true, cancellation);
    }

    /// <summary>Runs it with a pipeline that is loaded already and stays as it is.</summary>
    /// <param name="pipeline">The models.</param>
    /// <param name="cancellation">Ends the run; a LoRA of the steps done is saved when there are any.</param>
    /// <returns>How it ended.</returns>
    /// <exception cref="LabException">A folder, a picture, or the model is wrong; the message names it.</exception>
    /// <exception cref="OperationCanceledException">It was ended before its first step.</exception>
    public TrainingSummary Execute(StableDiffusion3Pipeline pipeline, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        var warn = pipeline.Prompts.Warn;
        pipeline.Prompts.Warn = _events.OnWarning;
        try
        {
            return Execute(pipeline, ownsPipeline: false, cancellation);
        }
        finally
        {
            pipeline.Prompts.Warn = warn;
        }
    }

    private TrainingSummary Execute(StableDiffusion3Pipeline pipeline, bool ownsPipeline, CancellationToken cancellation)
    {
        if (_config.WithPriorPreservation)
            MakeClassPictures(pipeline, cancellation);
        var dataset = LoadDataset();
        _events.OnStage?.Invoke($"Encoding {dataset.DistinctViews.Count} pictures");
        using var batches = DreamBoothBatches.Prepare(dataset, pipeline, _config, _seed, _events.OnEncoded, cancellation);
        if (ownsPipeline && _config.ValidationPrompt is null)
            pipeline.Prompts.UnloadT5();
        using var adapter = CreateAdapter(pipeline);
        using var trainer = new DreamBoothTrainer(_config, pipeline.Transformer, pipeline.SchedulerConfig, adapter, batches);
        _events.OnStart?.Invoke(trainer);

        Directory.CreateDirectory(_config.OutputDir);
        AtomicFile.WriteAllText(Path.Combine(_config.OutputDir, "recipe.json"), _config.ToJson());
        using var log = StepLog.Open(_config.OutputDir);
        var hooks = _events.Training with
        {
            OnStep = record =>
            {
                log.Append(record);
                _events.Training.OnStep?.Invoke(record);
                var epochEnds = record.Step % trainer.StepsPerEpoch == 0 && record.Epoch % _config.ValidationEpochs == 0;
                if (_config.ValidationPrompt is not null && (epochEnds || record.Step == trainer.MaxSteps))
                    Validate(pipeline, record.Step, cancellation);
            },
        };
        try
        {
            return trainer.Run(hooks, cancellation);
        }
        finally
        {
            // However it ends, the steps done are kept.
            if (trainer.StepsDone > 0)
                LoraFile.Save(Path.Combine(_config.OutputDir, LoraFile.DefaultName), adapter);
        }
    }

    private void Validate(StableDiffusion3Pipeline pipeline, int step, CancellationToken cancellation)
    {
        try
        {
            for (var i = 0; i < _config.NumValidationImages; i++)
            {
                var request = new GenerationRequest { Prompts = [_config.ValidationPrompt!], Seed = RunSeeds.ValidationPicture(_seed, i) };
                var image = pipeline.Generate(request, cancellation: cancellation)[0];
                ImageEncoder.Save(Path.Combine(_config.OutputDir, "validation", $"step_{step:00000}", $"img_{i:00}.png"), image);
                _events.OnValidationPicture?.Invoke(step, image);
            }
        }
        catch (OperationCanceledException)
        {
            // The trainer ends the run at its next step and keeps what is done.
        }
    }

    private void MakeClassPictures(StableDiffusion3Pipeline pipeline, CancellationToken cancellation)
    {
        _events.OnStage?.Invoke($"Class pictures in {_config.ClassDataDir}");
        ClassPictures.TopUp(
            _config.ClassDataDir!, _config.NumClassImages,
            (count, first) => Generate(pipeline, count, first, cancellation), _config.OnBadImage, cancellation: cancellation);
    }

    private IEnumerable<RgbImage> Generate(StableDiffusion3Pipeline pipeline, int count, int first, CancellationToken cancellation)
    {
        for (var done = 0; done < count;)
        {
            var images = pipeline.Generate(
                new GenerationRequest
                {
                    Prompts = [_config.ClassPrompt!],
                    NumImagesPerPrompt = Math.Min(_config.SampleBatchSize, count - done),
                    Seed = RunSeeds.ClassPicture(_seed, first + done),
                },
                cancellation: cancellation);
            foreach (var image in images)
            {
                done++;
                _events.OnClassPicture?.Invoke(done, count);
                yield return image;
            }
        }
    }

    private DreamBoothDataset LoadDataset()
    {
        var dataset = DreamBoothDataset.Load(new DreamBoothDatasetOptions
        {
            InstanceDataDir = _config.InstanceDataDir,
            InstancePrompt = _config.InstancePrompt,
            Resolution = _config.Resolution,
            CenterCrop = _config.CenterCrop,
            RandomFlip = _config.RandomFlip,
            Repeats = _config.Repeats,
            ImageColumn = _config.ImageColumn,
            CaptionColumn = _config.CaptionColumn,
            ClassDataDir = _config.WithPriorPreservation ? _config.ClassDataDir : null,
            ClassPrompt = _config.WithPriorPreservation ? _config.ClassPrompt : null,
            NumClassImages = _config.WithPriorPreservation ? _config.NumClassImages : null,
            OnBadImage = _config.OnBadImage,
            Seed = _seed,
        });
        foreach (var skipped in dataset.Skipped)
            _events.OnWarning?.Invoke($"{skipped.Path} is skipped: {skipped.Reason}");
        return dataset;
    }

    private LoraAdapter CreateAdapter(StableDiffusion3Pipeline pipeline)
    {
        var components = pipeline.LoraComponents.Where(component => _config.TrainTextEncoder || component.Prefix == "transformer")
            .Select(component => (component, component.Prefix == "transformer" ? _config.TransformerLora() : _config.TextEncoderLora()));
        return LoraAdapter.Create("default", components, _seed, pipeline.Options.Device, ScalarType.Float32);
    }
}
