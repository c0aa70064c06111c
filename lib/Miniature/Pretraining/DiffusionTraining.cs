using System.Globalization;
using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Trains text encoders and transformer together from nothing by the flow-matching loss (Esser et al. 2024, arXiv:2403.03206) on
/// encoded pictures and their captions, some of them empty so that guidance works.
/// </summary>
internal sealed class DiffusionTraining : IDisposable
{
    /// <summary>First part of the names of the weights' files.</summary>
    public const string Name = "diffusion";

    private static readonly double[] MeasuredSigmas = [0.25, 0.5, 0.75, 0.9];

    private readonly MiniatureModels _models;
    private readonly TrainedVae _vae;
    private readonly PretrainingOptions _options;
    private readonly DiffusionRecipe _recipe;
    private readonly FlatParameters _weights;
    private readonly PromptEncoder _text;
    private readonly FlowMatchingObjective _objective;
    private readonly TimestepDensity _density;
    private readonly LatentTable _latents, _heldOutLatents;
    private readonly CaptionTable _captions, _heldOutCaptions;

    private DiffusionTraining(MiniatureRecipe recipe, PretrainingOptions options, string vaeFolder)
    {
        _options = options;
        _models = new MiniatureModels(recipe);
        recipe = _models.Recipe;
        _recipe = recipe.DiffusionTraining;
        var tokenizers = Path.Combine(options.Output, "tokenizers");
        _models.Tokenizers.Write(tokenizers);
        _vae = TrainedVae.Load(_models, vaeFolder, options.Device);
        _weights = new FlatParameters(_models.DiffusionParts, options.Device, options.ComputeType, MiniatureModels.IsFixed);
        if (options.Start is not null)
            _weights.Begin(options.Start);
        if (options.Resume is not null && !TrainingProgress.Exists(options.Resume, Name))
            _weights.Load(options.Resume, Name);
        ITextTokenizer Tokenizer(string name) => TokenizerLoader.Load(Path.Combine(tokenizers, name));
        _text = new PromptEncoder(
            _models.Clip, _models.Clip2, _models.T5, Tokenizer("tokenizer"), Tokenizer("tokenizer_2"), Tokenizer("tokenizer_3"),
            recipe.Transformer.JointAttentionDim);
        _objective = new FlowMatchingObjective(_models.Transformer, recipe.Scheduler) { PreconditionOutputs = false };
        _density = new TimestepDensity { LogitMean = _recipe.LogitMean, LogitStd = _recipe.LogitStd };
        var (first, heldOut) = (options.FirstDrawing(recipe), recipe.FirstHeldOutDrawing);
        var captions = Task.Run(() => CaptionTable.Create(recipe, tokenizers, first, options.Pictures, CombinationSplit.TrainOnly,
            options.Device));
        _heldOutLatents = LatentTable.Create(
            recipe, options, _vae, heldOut, _recipe.HeldOut, CombinationSplit.HeldOutOnly);
        _heldOutCaptions = CaptionTable.Create(recipe, tokenizers, heldOut, _recipe.HeldOut, CombinationSplit.HeldOutOnly, options.Device);
        _latents = LatentTable.Create(recipe, options, _vae, first, options.Pictures, CombinationSplit.TrainOnly);
        _captions = captions.GetAwaiter().GetResult();
    }

    /// <summary>Trains, and leaves weights, averages, curves, sample sheets and an exported model folder in the output folder.</summary>
    /// <param name="recipe">Sizes, losses and rates.</param>
    /// <param name="options">Where and how long.</param>
    /// <param name="vaeFolder">The output folder of the autoencoder's training.</param>
    public static void Run(MiniatureRecipe recipe, PretrainingOptions options, string vaeFolder)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.PrepareDevice();
        var begin = DateTime.UtcNow;
        using var training = new DiffusionTraining(recipe, options, vaeFolder);
        options.Log(
            string.Create(
                CultureInfo.InvariantCulture,
                $"diffusion: {training._weights.Count:N0} parameters, {options.Pictures:N0} pictures encoded after "
                + $"{(DateTime.UtcNow - begin).TotalSeconds:0} s"));
        training.Train();
    }

    /// <summary>Frees models, weights and tables.</summary>
    public void Dispose()
    {
        _latents.Dispose();
        _captions.Dispose();
        _heldOutLatents.Dispose();
        _heldOutCaptions.Dispose();
        _objective.Dispose();
        _weights.Dispose();
        _vae.Dispose();
        _models.Dispose();
    }

    private void Train()
    {
        using var optimizer = new FlatAdamW(_weights.Values, _weights.Gradients, [new ParameterGroup(0, _weights.Length,
            _recipe.LearningRate)], new AdamWConfig { Beta1 = _recipe.Beta1, Beta2 = _recipe.Beta2 });
        var mean = optimizer.StateDict()["exp_avg"];
        using var inner = _recipe.OrthogonalSteps ? new OrthogonalSteps(_weights) : null;
        var before = _options.Resume is not null && TrainingProgress.Exists(_options.Resume, Name)
            ? TrainingProgress.Load(_options.Resume, Name, _weights, optimizer) : TrainingProgress.Begin;
        using var group = TrainingGroup.Join(_options, Name);
        using var meanLoss = zeros([], ScalarType.Float32, _options.Device).DetachFromDisposeScope();
        using var step = new PretrainingStep(_options.CudaGraph, _weights, Loss, _options.Log);
        var curve = new TrainingCurve(Path.Combine(_options.Output, "diffusion-curve.json"));
        var box = _options.OpenTimeBox(before);
        var (count, reported, saved) = (0L, 0.0, 0.0);
        while (true)
        {
            box.Look(group.Minutes);
            if (box.IsOver(count) || _options.Cancellation.IsCancellationRequested)
                break;
            using var scope = NewDisposeScope();
            var loss = step.Run(DrawBatch().Tensors);
            meanLoss.mul_(KeptScalar.Of(count == 0 ? 0 : 0.98)).add_(loss, KeptScalar.Of(count == 0 ? 1 : 0.02));
            group.Average(_weights.Gradients);
            GradientClipping.Clip(_weights.Gradients, _recipe.MaxGradNorm);
            var factor = box.RateFactor(count, _recipe.WarmupSteps, _recipe.FinalRate);
            if (inner is null)
                optimizer.Step(factor);
            else
                inner.Run(() => optimizer.Step(factor), mean, _recipe.Beta1, factor * _recipe.LearningRate);
            _weights.Publish();
            _weights.Average(Math.Min(_recipe.EmaDecay, (before.Steps + count + 1.0) / (before.Steps + count + 10.0)));
            count++;
            if (group.IsFirst && (box.Minutes - reported) * 60 >= _options.ReportSeconds)
            {
                Report(curve, before, count, box, meanLoss);
                reported = box.Minutes;
            }

            if (group.IsFirst && _options.SheetMinutes > 0 && box.Minutes - saved >= _options.SheetMinutes)
            {
                Save($"{Name}-sheet-{Math.Round(100 * box.Progress(count)):00}.png", After(before, count, box), optimizer);
                saved = box.Minutes;
            }
        }

        if (!group.IsFirst)
            return;
        Report(curve, before, count, box, meanLoss);
        if (_options.SheetMinutes > 0)
            Save($"{Name}-sheet.png", After(before, count, box), optimizer);
    }

    private static TrainingProgress After(TrainingProgress before, long count, TimeBox box) =>
        new(before.Steps + count, before.Minutes + box.Minutes, box.Progress(count));

    private DiffusionBatch DrawBatch()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        long rows = _recipe.BatchSize, window = _models.Recipe.TextWindow;
        var device = _options.Device;
        var drawings = randint(_latents.Count, [rows], ScalarType.Int64, device);
        var latents = _latents.Draw(drawings);
        var keep = ones([rows, 2 * window, 1], _options.ComputeType, device);
        keep.narrow(1, window, window).copy_(rand([rows, 1, 1], ScalarType.Float32, device).ge(KeptScalar.Of(_recipe.T5Dropout))
            .expand(rows, window, 1));
        var indices = TimestepDensity.Indices(
            _density.FromDraws(randn([rows], ScalarType.Float32, device)), _models.Recipe.Scheduler.NumTrainTimesteps);
        return new DiffusionBatch(
            latents.MoveToOuterDisposeScope(), randn_like(latents).MoveToOuterDisposeScope(), indices.MoveToOuterDisposeScope(),
            _captions.Draw(drawings, _recipe.CaptionDropout).MoveToOuterDisposeScope(), keep.MoveToOuterDisposeScope());
    }

    private Tensor Loss(IReadOnlyList<Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        var batch = DiffusionBatch.Of(tensors);
        var text = Encode(batch.Ids);
        var seen = new PromptEmbeddings(text.PromptEmbeds * batch.KeepTokens, text.PooledPromptEmbeds);
        return _objective.Compute(
            new TrainingBatch(batch.Latents, seen), new TrainingDraw(batch.Noise, batch.Indices)).Total.MoveToOuterDisposeScope();
    }

    private PromptEmbeddings Encode(Tensor ids)
    {
        var window = _models.Recipe.TextWindow;
        return _text.EncodeIds(ids.narrow(1, 0, window), ids.narrow(1, window, window), _models.T5.call(ids.narrow(1, 2 * window, window)));
    }

    private void Report(TrainingCurve curve, TrainingProgress before, long step, TimeBox box, Tensor meanLoss)
    {
        var losses = _weights.WithAverages(MeasureHeldOut);
        (string, double)[] figures =
        [
            ("step", before.Steps + step), ("minutes", before.Minutes + box.Minutes), ("progress", box.Progress(step)), ("loss",
                meanLoss.item<float>()),
            .. MeasuredSigmas.Select((sigma, i) => (FormattableString.Invariant($"held_out_{sigma}"), losses[i])),
        ];
        curve.Add(figures);
        if (!double.IsFinite(figures[3].Item2))
            throw new NonFiniteException($"The loss is {figures[3].Item2} at step {step}. Go on from what was saved with a lower --rate.");
        _options.Log(
            TrainingCurve.Line(
                "diffusion",
                [.. figures, ("rate", box.RateFactor(step, _recipe.WarmupSteps, _recipe.FinalRate) * _recipe.LearningRate),
                    ("ms_per_step", box.Minutes * 60000 / Math.Max(1, step))]));
    }

    // The error of the flow on held-out painted pictures at given noise levels, with noise that is the same at each report.
    private double[] MeasureHeldOut()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var sums = zeros([MeasuredSigmas.Length], ScalarType.Float32, _options.Device);
        var batch = Math.Min(_recipe.BatchSize, _recipe.HeldOut);
        var noise = SeededNoise.Normal([batch, .. _heldOutLatents.Means(0, 1).shape[1..]], 7, _options.Device);
        for (var first = 0; first + batch <= _recipe.HeldOut; first += batch)
        {
            using var inner = NewDisposeScope();
            var latents = _heldOutLatents.Means(first, batch);
            var text = Encode(_heldOutCaptions.First(first, batch));
            for (var i = 0; i < MeasuredSigmas.Length; i++)
            {
                using var one = NewDisposeScope();
                var sigma = MeasuredSigmas[i];
                var noisy = latents.mul(KeptScalar.Of(1 - sigma)).add(noise, KeptScalar.Of(sigma));
                var time = full([batch], KeptScalar.Of(sigma * 1000), ScalarType.Float32, _options.Device);
                var flow = _models.Transformer.forward(noisy.to(_options.ComputeType), time, text.PromptEmbeds, text.PooledPromptEmbeds)
                    .to(ScalarType.Float32);
                var error = flow - (noise - latents);
                sums.narrow(0, i, 1).add_((error * error).mean(), KeptScalar.One);
            }
        }

        return [.. sums.cpu().data<float>().ToArray().Select(sum => (double)sum / (_recipe.HeldOut / batch))];
    }

    private void Save(string sheet, TrainingProgress progress, FlatAdamW optimizer)
    {
        _weights.Save(_options.Output, Name);
        progress.Save(_options.Output, Name, _weights, optimizer);
        var folder = Path.Combine(_options.Output, "export");
        MiniatureExport.Write(folder, _models, _vae, _weights);
        SampleSheet.Write(Path.Combine(_options.Output, sheet), folder, _models.Recipe, _options.Device);
        _options.Log($"diffusion: saved to {_options.Output}, samples in {sheet}");
    }
}
