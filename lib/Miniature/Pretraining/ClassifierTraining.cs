using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Miniature.World;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Training;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Miniature.Pretraining;

/// <summary>
/// Trains the attribute classifier on painted pictures, some of them noisy, blurred or passed through the autoencoder, and its probe of the
/// character's identity on painted pictures of the character and of similar cats. Letters: B pictures, A attributes.
/// </summary>
internal sealed class ClassifierTraining
{
    /// <summary>First part of the names of the weights' files.</summary>
    public const string Name = "classifier";

    private const int EvaluationBatch = 256;

    // An identity of −1: the picture takes no part in the probe's loss. Classes of −100 take no part in the attributes' loss.
    private const long NotShown = -100;
    private const int Kinds = 2;

    private readonly MiniatureRecipe _recipe;
    private readonly PretrainingOptions _options;
    private readonly AttributeClassifier _model;

    private ClassifierTraining(MiniatureRecipe recipe, PretrainingOptions options, AttributeClassifier model) =>
        (_recipe, _options, _model) = (recipe, options, model);

    /// <summary>
    /// Trains; writes weights, averages, the curve and <c>classifier.json</c> (rates on held-out painted pictures) to the output folder.
    /// </summary>
    /// <param name="recipe">Sizes and rates.</param>
    /// <param name="options">Where and how long.</param>
    /// <param name="vaeFolder">Output folder of the autoencoder's training, or null to train on clean painted pictures alone.</param>
    public static void Run(MiniatureRecipe recipe, PretrainingOptions options, string? vaeFolder)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        options.PrepareDevice();
        using var model = Create(recipe);
        using var weights = new FlatParameters([(Name, model)], options.Device, ScalarType.Float32);
        if (options.Resume is not null && !TrainingProgress.Exists(options.Resume, Name))
            weights.Load(options.Resume, Name);
        new ClassifierTraining(recipe, options, model).Train(weights, vaeFolder);
    }

    /// <summary>Writes the trained classifier as a folder with config, bfloat16 weights and manifest.</summary>
    /// <param name="recipe">The recipe of the training.</param>
    /// <param name="folder">Its output folder.</param>
    /// <param name="target">The folder to write.</param>
    public static void Export(MiniatureRecipe recipe, string folder, string target)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        using var scope = NewDisposeScope();
        using var model = Create(recipe);
        using var weights = new FlatParameters([(Name, model)], CPU, ScalarType.Float32);
        weights.Load(folder, Name);
        JsonFile.Write(Path.Combine(target, "config.json"), recipe.ClassifierTraining);
        SafetensorsWriter.Save(
            Path.Combine(target, AttributeClassifier.WeightsName),
            weights.Of(weights.Averages, Name).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.to(ScalarType.BFloat16))));
        MiniatureFolder.WriteManifest(target);
    }

    private static AttributeClassifier Create(MiniatureRecipe recipe)
    {
        var model = new AttributeClassifier(recipe.ClassifierTraining.Width, recipe.ClassifierTraining.Features, CPU, ScalarType.Float32);
        WeightInitializer.Initialize(model, (recipe.InitSeed * 16) + 6);
        return model;
    }

    private void Train(FlatParameters weights, string? vaeFolder)
    {
        var recipe = _recipe.ClassifierTraining;
        using var world = LabelledPictures.World(_recipe, _options, _recipe.FirstDrawing, _options.Pictures, CombinationSplit.TrainOnly);
        using var cats = LabelledPictures.Cats(_recipe, _options, seed: 1, recipe.CharacterPictures * Kinds);
        using var heldOut = LabelledPictures.World(
            _recipe, _options, _recipe.FirstHeldOutDrawing, recipe.HeldOut, CombinationSplit.HeldOutOnly);
        using var heldOutCats = LabelledPictures.Cats(_recipe, _options, seed: 2, recipe.HeldOut);
        foreach (var set in new[] { heldOut, heldOutCats, cats, world })
            set.Pictures.Fill(int.MaxValue);
        if (vaeFolder is not null)
            Reconstruct(vaeFolder, world.Pictures, cats.Pictures);
        using var optimizer = new FlatAdamW(weights.Values, weights.Gradients, [new ParameterGroup(0, weights.Length, recipe.LearningRate,
            recipe.WeightDecay)]);
        var before = _options.Resume is not null && TrainingProgress.Exists(_options.Resume, Name)
            ? TrainingProgress.Load(_options.Resume, Name, weights, optimizer) : TrainingProgress.Begin;
        var curve = new TrainingCurve(Path.Combine(_options.Output, "classifier-curve.json"));
        var box = _options.OpenTimeBox(before);
        _options.Log(FormattableString.Invariant(
            $"classifier: {weights.Count:N0} parameters, {world.Pictures.Count:N0} pictures, {cats.Pictures.Count:N0} of cats"));
        var (step, reported) = (0L, 0.0);
        while (true)
        {
            box.Look();
            if (box.IsOver(step) || _options.Cancellation.IsCancellationRequested)
                break;
            using var scope = NewDisposeScope();
            var loss = Step(weights, world, cats);
            GradientClipping.Clip(weights.Gradients, recipe.MaxGradNorm);
            optimizer.Step(box.RateFactor(step, recipe.WarmupSteps, 0.02));
            weights.Average(Math.Min(recipe.EmaDecay, (before.Steps + step + 1.0) / (before.Steps + step + 10.0)));
            step++;
            if ((box.Minutes - reported) * 60 < _options.ReportSeconds)
                continue;
            reported = box.Minutes;
            if (!float.IsFinite(loss.item<float>()))
                throw new NonFiniteException(
                    $"The loss is {loss.item<float>()} at step {before.Steps + step}. Start again with a lower --rate.");
            Report(weights, heldOut, heldOutCats, curve, ("step", before.Steps + step), ("minutes", before.Minutes + box.Minutes),
                ("loss", loss.item<float>()));
        }

        var rates = Report(weights, heldOut, heldOutCats, curve, ("step", before.Steps + step), ("minutes", before.Minutes + box.Minutes));
        weights.Save(_options.Output, Name);
        new TrainingProgress(before.Steps + step, before.Minutes + box.Minutes, box.Progress(step)).Save(_options.Output, Name, weights,
            optimizer);
        JsonFile.Write(Path.Combine(_options.Output, "classifier.json"), rates.ToDictionary(rate => rate.Name, rate => rate.Value));
    }

    private Tensor Step(FlatParameters weights, LabelledPictures world, LabelledPictures cats)
    {
        var recipe = _recipe.ClassifierTraining;
        using var scope = NewDisposeScope();
        weights.ZeroGradients();
        var ofCats = (long)(recipe.BatchSize * recipe.IdentityShare);
        var (worldPixels, worldClasses, worldIdentity) = world.Draw(recipe.BatchSize - ofCats);
        var (catPixels, catClasses, catIdentity) = cats.Draw(ofCats);
        var reading = _model.call(Disturb(cat([worldPixels, catPixels], dim: 0)));
        var classes = cat([worldClasses, catClasses], dim: 0);
        var identity = cat([worldIdentity, catIdentity], dim: 0);
        var loss = nn.functional.binary_cross_entropy_with_logits(reading.Identity, identity);
        for (var i = 0; i < DrawingAttributes.All.Count; i++)
        {
            var one = nn.functional.cross_entropy(
                reading.LogitsOf(DrawingAttributes.All[i]), classes.select(1, i), ignore_index: NotShown, label_smoothing: 0.02);
            loss = loss.add(one, KeptScalar.One);
        }

        loss.backward();
        weights.CollectGradients();
        return loss.detach().MoveToOuterDisposeScope();
    }

    // Blur by going through a lower resolution on a part of the rows, then noise of a strength drawn for each row.
    private Tensor Disturb(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        var rows = pixels.shape[0];
        var quarter = rows / 4;
        var order = randperm(rows, ScalarType.Int64, pixels.device);
        var blurred = nn.functional.interpolate(
            nn.functional.avg_pool2d(pixels.index_select(0, order.narrow(0, 0, quarter)), 2), [pixels.shape[2], pixels.shape[3]],
            mode: InterpolationMode.Bilinear, align_corners: false);
        var mixed = pixels.index_copy(0, order.narrow(0, 0, quarter), blurred);
        var drawn = rand([rows, 1, 1, 1], ScalarType.Float32, pixels.device);
        var strength = (drawn * drawn).mul(KeptScalar.Of(_recipe.ClassifierTraining.PixelNoise));
        var light = rand([rows, 1, 1, 1], ScalarType.Float32, pixels.device).mul(KeptScalar.Of(0.12)).sub(KeptScalar.Of(0.06));
        return mixed.add(light, KeptScalar.One).add(randn_like(mixed) * strength, KeptScalar.One).MoveToOuterDisposeScope();
    }

    private void Reconstruct(string vaeFolder, params IReadOnlyList<PictureStore> stores)
    {
        using var models = new MiniatureModels(_recipe);
        using var vae = TrainedVae.Load(models, vaeFolder, _options.Device);
        using var noGradients = no_grad();
        var every = Math.Max(1, (int)Math.Round(1 / _recipe.ClassifierTraining.ReconstructedShare));
        foreach (var store in stores)
        {
            for (var first = 0; first < store.Count; first += every * EvaluationBatch)
            {
                using var scope = NewDisposeScope();
                var latents = vae.Model.Encode(store.Pictures(first, Math.Min(EvaluationBatch, store.Count - first)));
                var spread = randn_like(latents.Mean) * KeptScalar.Of(0.1 / vae.ScalingFactor);
                store.Replace(first, vae.Model.Decode(latents.Mean.add(spread, KeptScalar.One)));
            }
        }
    }

    private List<(string Name, double Value)> Report(
        FlatParameters weights, LabelledPictures heldOut, LabelledPictures cats, TrainingCurve curve,
        params (string Name, double Value)[] figures)
    {
        var rates = weights.WithAverages(() => (List<(string, double)>)[.. AttributeRates(heldOut), IdentityRate(cats)]);
        curve.Add([.. figures, .. rates]);
        _options.Log(TrainingCurve.Line(Name, [.. figures, .. rates]));
        return rates;
    }

    private List<(string Name, double Value)> AttributeRates(LabelledPictures set)
    {
        using var scope = NewDisposeScope();
        var right = zeros([DrawingAttributes.All.Count], ScalarType.Float32, _options.Device);
        var shown = zeros_like(right);
        for (var first = 0; first < set.Pictures.Count; first += EvaluationBatch)
        {
            using var inner = NewDisposeScope();
            var (pixels, classes, _) = set.Range(first, Math.Min(EvaluationBatch, set.Pictures.Count - first));
            var reading = _model.call(pixels);
            for (var i = 0; i < DrawingAttributes.All.Count; i++)
            {
                var hits = reading.LogitsOf(DrawingAttributes.All[i]).argmax(1).eq(classes.select(1, i));
                right.narrow(0, i, 1).add_(hits.sum(), KeptScalar.One);
                shown.narrow(0, i, 1).add_(classes.select(1, i).ne(KeptScalar.Integer(NotShown)).sum(), KeptScalar.One);
            }
        }

        var rates = (right / shown).cpu().data<float>().ToArray();
        return DrawingAttributes.All.Select((attribute, i) => (attribute.Name, (double)rates[i])).ToList();
    }

    private (string Name, double Value) IdentityRate(LabelledPictures set)
    {
        using var scope = NewDisposeScope();
        var right = zeros([], ScalarType.Float32, _options.Device);
        for (var first = 0; first < set.Pictures.Count; first += EvaluationBatch)
        {
            using var inner = NewDisposeScope();
            var (pixels, _, identity) = set.Range(first, Math.Min(EvaluationBatch, set.Pictures.Count - first));
            right.add_(_model.call(pixels).Identity.gt(KeptScalar.Of(0)).to(ScalarType.Float32).eq(identity).sum(), KeptScalar.One);
        }

        return ("identity", right.item<float>() / set.Pictures.Count);
    }
}
