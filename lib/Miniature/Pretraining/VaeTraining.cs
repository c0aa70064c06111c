using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Trains the autoencoder on painted pictures: absolute and squared error, error of differences between neighbours, the same at half the
/// size, and a weak pull of the latents towards a standard normal. Letters: B pictures, C latent channels, h and w of the latents.
/// </summary>
internal sealed class VaeTraining
{
    private const string Name = "vae";
    private const string DecoderName = "decoder";
    private const int EvaluationBatch = 64;

    private readonly MiniatureRecipe _recipe;
    private readonly PretrainingOptions _options;
    private readonly AutoencoderKL _vae;
    private readonly AttributeClassifier? _judge;
    private readonly double _scale;

    private VaeTraining(MiniatureRecipe recipe, PretrainingOptions options, AutoencoderKL vae, AttributeClassifier? judge)
    {
        (_recipe, _options, _vae, _judge) = (recipe, options, vae, judge);
        _scale = options.DecoderOnly ? JsonFile.Read<VaeResult>(Path.Combine(options.Resume!, VaeResult.FileName)).ScalingFactor : 1;
    }

    /// <summary>
    /// Trains, and leaves weights, averages, curves, reconstructions and <c>vae.json</c> (shift and scale) in the output folder.
    /// </summary>
    /// <param name="recipe">Sizes, losses and rates.</param>
    /// <param name="options">Where and how long.</param>
    public static VaeResult Run(MiniatureRecipe recipe, PretrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        options.PrepareDevice();
        using var models = new MiniatureModels(recipe);
        using var weights = new FlatParameters([(Name, models.Vae)], options.Device, options.ComputeType);
        if (options.Start is not null)
            weights.Begin(options.Start);
        if (options.DecoderOnly && !TrainingProgress.Exists(options.Resume!, DecoderName))
            StartFromAverages(weights, options.Resume!);
        else if (!options.DecoderOnly && options.Resume is not null && !TrainingProgress.Exists(options.Resume, Name))
            weights.Load(options.Resume, Name);
        using var judge = options.Perceptual is null ? null : AttributeClassifier.Load(options.Perceptual, options.Device);
        return new VaeTraining(models.Recipe, options, models.Vae, judge).Train(weights);
    }

    /// <summary>The mean over pictures of the peak signal-to-noise ratio.</summary>
    /// <param name="pictures">−1 … 1, <c>[B, 3, H, W]</c>.</param>
    /// <param name="decoded">Their reconstructions; clamped to −1 … 1.</param>
    /// <returns>dB, a tensor of rank 0.</returns>
    public static Tensor Psnr(Tensor pictures, Tensor decoded)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        ArgumentNullException.ThrowIfNull(decoded);
        using var scope = NewDisposeScope();
        var difference = decoded.clamp(KeptScalar.Of(-1), KeptScalar.One) - pictures;
        var error = (difference * difference).flatten(1).mean([1]).clamp(min: KeptScalar.Of(1e-8));
        return error.reciprocal().mul(KeptScalar.Of(4)).log10().mul(KeptScalar.Of(10)).mean().MoveToOuterDisposeScope();
    }

    // The encoder stays what the averages are, so that latents made with them stay valid; without gradients AdamW leaves it alone.
    private static void StartFromAverages(FlatParameters weights, string folder)
    {
        weights.Load(folder, Name);
        using var noGradients = no_grad();
        weights.Values.copy_(weights.Averages);
        weights.Publish();
    }

    private VaeResult Train(FlatParameters weights)
    {
        var recipe = _recipe.VaeTraining;
        using var pictures = PictureStore.Start(_recipe, _options, _options.FirstDrawing(_recipe), _options.Pictures,
            CombinationSplit.TrainOnly);
        using var heldOut = PictureStore.Start(
            _recipe, _options, _recipe.FirstHeldOutDrawing, recipe.HeldOut, CombinationSplit.HeldOutOnly);
        using var optimizer = new FlatAdamW(weights.Values, weights.Gradients, [new ParameterGroup(0, weights.Length, recipe.LearningRate)],
            new AdamWConfig { Beta2 = 0.99 });
        var state = _options.DecoderOnly ? DecoderName : Name;
        var before = _options.Resume is not null && TrainingProgress.Exists(_options.Resume, state)
            ? TrainingProgress.Load(_options.Resume, state, weights, optimizer) : TrainingProgress.Begin;
        using var group = TrainingGroup.Join(_options, state);
        var curve = new TrainingCurve(Path.Combine(_options.Output, "vae-curve.json"));
        heldOut.Fill(recipe.HeldOut);
        pictures.Fill(recipe.MinimumPictures);
        _options.Log(
            FormattableString.Invariant($"vae: {weights.Count:N0} parameters, {pictures.Filled:N0} of {pictures.Count:N0} pictures ready"));
        using var step = new PretrainingStep(_options.CudaGraph, weights, Loss, _options.Log);
        var box = _options.OpenTimeBox(before);
        var (count, reported) = (0L, 0.0);
        while (true)
        {
            box.Look(group.Minutes);
            if (box.IsOver(count) || _options.Cancellation.IsCancellationRequested)
                break;
            using var scope = NewDisposeScope();
            pictures.Fill();
            var loss = step.Run(DrawBatch(pictures));
            group.Average(weights.Gradients);
            GradientClipping.Clip(weights.Gradients, recipe.MaxGradNorm);
            optimizer.Step(box.RateFactor(count, recipe.WarmupSteps, 0.03));
            weights.Publish();
            weights.Average(Math.Min(recipe.EmaDecay, (before.Steps + count + 1.0) / (before.Steps + count + 10.0)));
            count++;
            if (!group.IsFirst || (box.Minutes - reported) * 60 < _options.ReportSeconds)
                continue;
            reported = box.Minutes;
            if (loss.item<float>() is var value && !float.IsFinite(value))
                throw new NonFiniteException(
                    $"The loss is {value} at step {before.Steps + count}. Go on from what was saved with a lower --rate.");
            var psnr = weights.WithAverages(() => Measure(heldOut, null));
            (string, double)[] figures = [("step", before.Steps + count), ("minutes", before.Minutes + box.Minutes), ("loss",
                loss.item<float>()), ("psnr", psnr)];
            curve.Add(figures);
            _options.Log(TrainingCurve.Line(Name, [.. figures, ("pictures", pictures.Filled), ("ms_per_step",
                box.Minutes * 60000 / count)]));
        }

        var after = new TrainingProgress(before.Steps + count, before.Minutes + box.Minutes, box.Progress(count));
        if (group.IsFirst)
            after.Save(_options.Output, state, weights, optimizer);
        return Finish(weights, pictures, heldOut, curve, after, group.IsFirst);
    }

    private Tensor[] DrawBatch(PictureStore pictures)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var recipe = _recipe.VaeTraining;
        long side = _recipe.PictureSize / _recipe.Vae.SpatialFactor;
        var target = pictures.Pictures(pictures.DrawRows(recipe.BatchSize));
        var noise = randn([recipe.BatchSize, _recipe.Vae.LatentChannels, side, side], _options.ComputeType, _options.Device);
        var strength = rand([recipe.BatchSize, 1, 1, 1], ScalarType.Float32,
            _options.Device).mul(KeptScalar.Of(recipe.DecoderNoise / _scale)).to(_options.ComputeType);
        return [target.MoveToOuterDisposeScope(), noise.MoveToOuterDisposeScope(), strength.MoveToOuterDisposeScope()];
    }

    private Tensor Loss(IReadOnlyList<Tensor> batch)
    {
        var recipe = _recipe.VaeTraining;
        using var scope = NewDisposeScope();
        var target = batch[0];
        using var latents = Encode(target.to(_options.ComputeType));
        var sample = _options.DecoderOnly ? latents.Mean.add(batch[1] * batch[2], KeptScalar.One) : latents.Sample(batch[1]);
        var decoded = _vae.Decode(sample).to(ScalarType.Float32);
        var error = decoded - target;
        var across = (error.narrow(3, 1, error.shape[3] - 1) - error.narrow(3, 0, error.shape[3] - 1)).abs().mean();
        var down = (error.narrow(2, 1, error.shape[2] - 1) - error.narrow(2, 0, error.shape[2] - 1)).abs().mean();
        var total = error.abs().mean().add((error * error).mean(), KeptScalar.Of(recipe.SquareWeight))
            .add(across.add(down, KeptScalar.One), KeptScalar.Of(0.5 * recipe.GradientWeight));
        if (_judge is not null)
            total = total.add(Perceived(decoded, target), KeptScalar.Of(recipe.PerceptualWeight));
        if (_options.DecoderOnly)
            return total.MoveToOuterDisposeScope();
        if (recipe.HalfScaleWeight > 0)
        {
            var half = _vae.Decode(nn.functional.avg_pool2d(sample, 2)).to(ScalarType.Float32);
            total = total.add((half - nn.functional.avg_pool2d(target, 2)).abs().mean(), KeptScalar.Of(recipe.HalfScaleWeight));
        }

        var (mean, logVariance) = (latents.Mean.to(ScalarType.Float32), latents.LogVariance.to(ScalarType.Float32));
        var kl = ((mean * mean).add(logVariance.exp(), KeptScalar.One).sub(KeptScalar.One) - logVariance).mean();
        return total.add(kl, KeptScalar.Of(0.5 * recipe.KlWeight)).MoveToOuterDisposeScope();
    }

    // How far the classifier's first maps of the decoded pictures are from those of the painted ones, relative to the latter.
    private Tensor Perceived(Tensor decoded, Tensor target)
    {
        using var scope = NewDisposeScope();
        var total = zeros([], ScalarType.Float32, _options.Device);
        foreach (var (ours, real) in _judge!.FirstMaps(decoded).Zip(_judge.FirstMaps(target)))
            total = total.add((ours - real).abs().mean() / real.abs().mean(), KeptScalar.One);
        return total.MoveToOuterDisposeScope();
    }

    private LatentDistribution Encode(Tensor target)
    {
        if (!_options.DecoderOnly)
            return _vae.Encode(target);
        using var noGradients = no_grad();
        return _vae.Encode(target);
    }

    private double Measure(PictureStore heldOut, List<Tensor>? examples)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var sum = zeros([], ScalarType.Float32, _options.Device);
        for (var first = 0; first < heldOut.Count; first += EvaluationBatch)
        {
            using var inner = NewDisposeScope();
            var target = heldOut.Pictures(first, Math.Min(EvaluationBatch, heldOut.Count - first));
            var decoded = _vae.Decode(_vae.Encode(target.to(_options.ComputeType)).Mean).to(ScalarType.Float32);
            sum.add_(Psnr(target, decoded), KeptScalar.Of(target.shape[0]));
            if (examples?.Count == 0)
                examples.AddRange([target.DetachFromDisposeScope(), decoded.DetachFromDisposeScope()]);
        }

        return sum.item<float>() / heldOut.Count;
    }

    private VaeResult Finish(FlatParameters weights, PictureStore pictures, PictureStore heldOut, TrainingCurve curve,
        TrainingProgress after, bool first)
    {
        var examples = new List<Tensor>();
        var (psnr, shift, scale) = weights.WithAverages(
            () => (Measure(heldOut, examples), MeasureLatents(pictures)) is var (db, latents)
                ? (db, latents.Shift, latents.Scale)
                : default);
        if (_options.DecoderOnly)
            (shift, scale) = JsonFile.Read<VaeResult>(Path.Combine(_options.Resume!, VaeResult.FileName)) is var kept
                ? (kept.ShiftFactor, kept.ScalingFactor) : default;
        var result = new VaeResult(psnr, shift, scale, after.Steps, after.Minutes);
        if (first)
        {
            curve.Add(("step", after.Steps), ("minutes", after.Minutes), ("psnr", psnr));
            weights.Save(_options.Output, Name);
            WriteExamples(examples);
            JsonFile.Write(Path.Combine(_options.Output, VaeResult.FileName), result);
            _options.Log(TrainingCurve.Line("vae done", ("step", after.Steps), ("minutes", after.Minutes), ("psnr", psnr), ("shift",
                shift), ("scale", scale)));
        }

        foreach (var example in examples)
            example.Dispose();
        return result;
    }

    private (double Shift, double Scale) MeasureLatents(PictureStore pictures)
    {
        using var scope = NewDisposeScope();
        var moments = zeros([2], ScalarType.Float64, _options.Device);
        var batches = Math.Max(1, Math.Min(pictures.Filled, 4096) / EvaluationBatch);
        for (var i = 0; i < batches; i++)
        {
            using var inner = NewDisposeScope();
            var latents = _vae.Encode(pictures.Pictures(pictures.DrawRows(EvaluationBatch)).to(_options.ComputeType));
            var values = latents.Sample(randn_like(latents.Mean)).to(ScalarType.Float64);
            moments.add_(stack([values.mean(), (values * values).mean()]), KeptScalar.One);
        }

        var sums = moments.cpu().data<double>().ToArray();
        var mean = sums[0] / batches;
        return (Math.Round(mean, 4), Math.Round(1 / Math.Sqrt((sums[1] / batches) - (mean * mean)), 4));
    }

    private void WriteExamples(List<Tensor> examples)
    {
        var rows = examples.Select(
            part => PixelTensors.Unstack(part.narrow(0, 0, Math.Min(12, part.shape[0]))).Select(image => new ContactSheetCell(image))
                .ToArray()).ToArray();
        var sheet = new ContactSheet
        {
            Rows = [.. rows.Cast<IReadOnlyList<ContactSheetCell?>>()],
            RowHeadings = ["painted", "decoded"],
            CellSize = 128,
        };
        ImageEncoder.Save(Path.Combine(_options.Output, "vae-reconstructions.png"), sheet.Render());
    }
}
