using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Trains the autoencoder on drawings: absolute and squared error, error of differences between neighbours, and a weak pull of the
/// latents towards a standard normal. Letters: B pictures, C latent channels.
/// </summary>
public sealed class VaeTraining
{
    private const string Name = "vae";
    private const int EvaluationBatch = 64;

    private readonly MiniatureRecipe _recipe;
    private readonly PretrainingOptions _options;
    private readonly AutoencoderKL _vae;

    private VaeTraining(MiniatureRecipe recipe, PretrainingOptions options, AutoencoderKL vae) => (_recipe, _options, _vae) = (recipe, options, vae);

    /// <summary>Trains, and leaves weights, averages, curves, reconstructions and <c>vae.json</c> (shift and scale) in the output folder.</summary>
    /// <param name="recipe">Sizes, losses and rates.</param>
    /// <param name="options">Where and how long.</param>
    public static VaeResult Run(MiniatureRecipe recipe, PretrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        options.PrepareDevice();
        using var models = new MiniatureModels(recipe);
        using var weights = new FlatParameters([(Name, models.Vae)], options.Device, ScalarType.Float32);
        if (options.Resume is not null)
            weights.Load(options.Resume, Name);
        if (options.DecoderOnly)
            StartFromAverages(weights);
        return new VaeTraining(models.Recipe, options, models.Vae).Train(weights);
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
        var error = (decoded.clamp(-1, 1) - pictures).square().flatten(1).mean([1]).clamp(min: 1e-8);
        return (4 / error).log10().mul(10).mean().MoveToOuterDisposeScope();
    }

    // The encoder stays what the averages are, so that latents made with them stay valid; without gradients AdamW leaves it alone.
    private static void StartFromAverages(FlatParameters weights)
    {
        using var noGradients = no_grad();
        weights.Values.copy_(weights.Averages);
    }

    private VaeResult Train(FlatParameters weights)
    {
        var recipe = _recipe.VaeTraining;
        using var pictures = PictureStore.Start(_recipe, _options, _recipe.FirstDrawing, _options.Pictures, CombinationSplit.TrainOnly);
        using var heldOut = PictureStore.Start(_recipe, _options, _recipe.FirstHeldOutDrawing, recipe.HeldOut, CombinationSplit.HeldOutOnly);
        using var optimizer = new FlatAdamW(weights.Values, weights.Gradients, [new AdamWGroup(0, weights.Count, recipe.LearningRate)], new AdamWConfig { Beta2 = 0.99 });
        var curve = new TrainingCurve(Path.Combine(_options.Output, "vae-curve.json"));
        heldOut.Fill(recipe.HeldOut);
        pictures.Fill(recipe.MinimumPictures);
        _options.Log(FormattableString.Invariant($"vae: {weights.Count:N0} parameters, {pictures.Filled:N0} of {pictures.Count:N0} pictures ready"));
        var box = _options.OpenTimeBox();
        var (step, reported) = (0L, box.Minutes);
        while (!box.IsOver(step) && !_options.Cancellation.IsCancellationRequested)
        {
            using var scope = NewDisposeScope();
            pictures.Fill();
            var losses = Step(weights, pictures);
            GradientClipping.Clip(weights.Gradients, recipe.MaxGradNorm);
            optimizer.Step(box.RateFactor(step, recipe.WarmupSteps, 0.03));
            weights.Average(Math.Min(recipe.EmaDecay, (step + 1.0) / (step + 10.0)));
            step++;
            if ((box.Minutes - reported) * 60 < _options.ReportSeconds)
                continue;
            reported = box.Minutes;
            if (losses.Total.item<float>() is var loss && !float.IsFinite(loss))
                throw new NonFiniteException($"The loss is {loss} at step {step}. Go on from what was saved with a lower --rate.");
            var psnr = weights.WithAverages(() => Measure(heldOut, null));
            (string, double)[] figures = [("step", step), ("minutes", box.Minutes), ("loss", losses.Total.item<float>()), ("l1", losses.Absolute.item<float>()), ("kl", losses.Kl.item<float>()), ("psnr", psnr)];
            curve.Add(figures);
            _options.Log(TrainingCurve.Line("vae", [.. figures, ("pictures", pictures.Filled)]));
        }

        return Finish(weights, pictures, heldOut, curve, step, box.Minutes);
    }

    private (Tensor Total, Tensor Absolute, Tensor Kl) Step(FlatParameters weights, PictureStore pictures)
    {
        var recipe = _recipe.VaeTraining;
        using var scope = NewDisposeScope();
        weights.ZeroGradients();
        var target = pictures.Pictures(pictures.DrawRows(recipe.BatchSize));
        using var latents = Encode(target);
        var decoded = _vae.Decode(latents.Sample(randn_like(latents.Mean)));
        var error = decoded - target;
        var absolute = error.abs().mean();
        var across = (error.narrow(3, 1, error.shape[3] - 1) - error.narrow(3, 0, error.shape[3] - 1)).abs().mean();
        var down = (error.narrow(2, 1, error.shape[2] - 1) - error.narrow(2, 0, error.shape[2] - 1)).abs().mean();
        var kl = (latents.Mean.square() + latents.LogVariance.exp() - 1 - latents.LogVariance).mean() * 0.5;
        var total = absolute + (error.square().mean() * recipe.SquareWeight) + ((across + down) * (0.5 * recipe.GradientWeight)) + (kl * recipe.KlWeight);
        total.backward();
        weights.CollectGradients();
        return (total.detach().MoveToOuterDisposeScope(), absolute.detach().MoveToOuterDisposeScope(), kl.detach().MoveToOuterDisposeScope());
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
            var decoded = _vae.Decode(_vae.Encode(target).Mean);
            sum.add_(Psnr(target, decoded) * target.shape[0]);
            if (examples?.Count == 0)
                examples.AddRange([target.DetachFromDisposeScope(), decoded.DetachFromDisposeScope()]);
        }

        return sum.item<float>() / heldOut.Count;
    }

    private VaeResult Finish(FlatParameters weights, PictureStore pictures, PictureStore heldOut, TrainingCurve curve, long step, double minutes)
    {
        var examples = new List<Tensor>();
        var (psnr, shift, scale) = weights.WithAverages(() => (Measure(heldOut, examples), MeasureLatents(pictures)) is var (db, latents) ? (db, latents.Shift, latents.Scale) : default);
        if (_options.DecoderOnly)
            (shift, scale) = JsonFile.Read<VaeResult>(Path.Combine(_options.Resume!, VaeResult.FileName)) is var first ? (first.ShiftFactor, first.ScalingFactor) : default;
        curve.Add(("step", step), ("minutes", minutes), ("psnr", psnr));
        weights.Save(_options.Output, Name);
        WriteExamples(examples);
        var result = new VaeResult(psnr, shift, scale, step, minutes);
        JsonFile.Write(Path.Combine(_options.Output, VaeResult.FileName), result);
        _options.Log(TrainingCurve.Line("vae done", ("step", step), ("minutes", minutes), ("psnr", psnr), ("shift", shift), ("scale", scale)));
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
            var latents = _vae.Encode(pictures.Pictures(pictures.DrawRows(EvaluationBatch)));
            var values = latents.Sample(randn_like(latents.Mean)).to(ScalarType.Float64);
            moments.add_(stack([values.mean(), values.square().mean()]));
        }

        var sums = moments.cpu().data<double>().ToArray();
        var mean = sums[0] / batches;
        return (Math.Round(mean, 4), Math.Round(1 / Math.Sqrt((sums[1] / batches) - (mean * mean)), 4));
    }

    private void WriteExamples(List<Tensor> examples)
    {
        var rows = examples.Select(part => PixelTensors.Unstack(part.narrow(0, 0, Math.Min(12, part.shape[0]))).Select(image => new ContactSheetCell(image)).ToArray()).ToArray();
        var sheet = new ContactSheet { Rows = [.. rows.Cast<IReadOnlyList<ContactSheetCell?>>()], RowHeadings = ["drawn", "decoded"], CellSize = 128 };
        ImageEncoder.Save(Path.Combine(_options.Output, "vae-reconstructions.png"), sheet.Render());
        foreach (var example in examples)
            example.Dispose();
    }
}
