using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// Predicts the memory of a run, phase by phase, from the model's configuration and the run's settings; nothing is loaded. Weights, LoRA,
/// optimizer state and caches are counted; activations are estimated (<see cref="ActivationEstimate"/>).
/// </summary>
/// <param name="model">The model.</param>
public sealed class MemoryPlanner(ModelArchitecture model)
{
    private const long MasterBytes = 4;
    private const double UsablePart = 0.92;
    private const long ContextBytes = ByteSize.GiB / 2;

    /// <summary>Memory sizes of common GPUs, in bytes.</summary>
    public static IReadOnlyList<long> CardSizes { get; } =
        [.. new[] { 8, 12, 16, 24, 40, 48, 80, 141 }.Select(size => size * ByteSize.GiB)];

    /// <summary>The model.</summary>
    public ModelArchitecture Model { get; } = model;

    /// <summary>Predicts a run.</summary>
    /// <param name="settings">The run.</param>
    /// <exception cref="LabException">A setting is out of range.</exception>
    public MemoryForecast Forecast(MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        settings.Validate();
        var activations = new ActivationEstimate(Model, settings);
        var weights = new WeightsForecast(Model, settings);
        var text = Estimate("text activations", activations.TextEncoding(), "of the largest encoder's widest layer");
        var phases =
            new List<PhaseForecast> { new("load", weights.Resident()),
                new("encode", [.. weights.Resident(), .. weights.TextOnDemand(), text]) };
        IReadOnlyList<MemoryTerm> held = weights.Resident(), sampled = [];
        if (settings.Training != TrainingKind.None)
        {
            phases.Add(
                new(
                    "cache", [.. weights.Resident(), .. weights.TrainedOnDemand(), .. weights.VaeOnDemand(),
                        Estimate("encoder activations", activations.Encode(), "of one picture at the autoencoder's widest place")]));
            held = [.. weights.Training(), .. TrainedState(settings), .. Caches(settings), .. InStep(settings, weights.VaeOnDemand())];
            phases.Add(
                new(
                    "step", [.. held,
                        .. InStep(settings, Estimate("encoder activations", activations.Encode(), "of one instance picture")),
                        Estimate(
                            "activations", activations.TrainingStep(),
                            settings.UsesCheckpointing
                                ? "block inputs, and one block computed again"
                                : "what every block keeps for the backward pass")]));
            // A validation picture's text, where the encoders come for it alone.
            sampled = settings.TrainTextEncoder ? [] : [.. weights.ClipOnDemand(), text];
        }

        if (settings.FreeVae)
            return new MemoryForecast(settings, phases);
        MemoryTerm[] drawn = [Estimate("activations", activations.Sampling(), "of one block; both halves of guidance at a time")];
        var drawnIsMore = ByteSize.Sum(drawn.Select(term => term.Bytes)) >= ByteSize.Sum(sampled.Select(term => term.Bytes));
        phases.Add(new("sample", [.. held, .. drawnIsMore ? drawn : sampled]));
        phases.Add(
            new(
                "decode",
                [.. held, .. settings.EncodesInSteps ? [] : weights.VaeOnDemand(),
                    Estimate("decoder activations", activations.Decode(), "of one picture at the widest place")]));
        if (settings.Judge is { } judge)
            phases.Add(new("score", [.. held, .. weights.JudgeOnDemand(), judge.Activations]));
        return new MemoryForecast(settings, phases);
    }

    /// <summary>What a run needs in each memory mode.</summary>
    /// <param name="settings">The run.</param>
    /// <returns>Fast, balanced and low; and for generation, low with the transformer's blocks one by one.</returns>
    public IReadOnlyList<MemoryForecast> ByMode(MemorySettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var modes = new[] { MemoryMode.Fast, MemoryMode.Balanced, MemoryMode.Low }.Select(
            mode => settings with { Memory = mode, StreamTransformer = false });
        if (settings.Training == TrainingKind.None)
            modes = modes.Append(settings with { Memory = MemoryMode.Low, StreamTransformer = true });
        return [.. modes.Select(Forecast)];
    }

    /// <summary>A run that loads the transformer's blocks one by one, with as many of them staying as fit.</summary>
    /// <param name="streamed">The run with none that stays.</param>
    /// <param name="bytes">Memory that the run may count on; see <see cref="Usable"/>.</param>
    internal MemoryForecast WithResidentBlocks(MemoryForecast streamed, long bytes)
    {
        var (fits, tooMany) = (0, Model.Blocks("transformer").Count + 1);
        while (tooMany - fits > 1)
        {
            var tried = (fits + tooMany) / 2;
            if (Forecast(streamed.Settings with { ResidentBlocks = tried }).Peak <= bytes)
                fits = tried;
            else
                tooMany = tried;
        }

        return fits == 0 ? streamed : Forecast(streamed.Settings with { ResidentBlocks = fits });
    }

    /// <summary>
    /// How much of a device's memory a run may use: about nine tenths, and on a GPU half a GiB less for the CUDA context.
    /// </summary>
    /// <param name="bytes">Memory of the device.</param>
    /// <param name="gpu">Whether it is a GPU.</param>
    public static long Usable(long bytes, bool gpu = true) => (long)(UsablePart * bytes) - (gpu ? ContextBytes : 0);

    /// <summary>The smallest of <see cref="CardSizes"/> that a run fits, in bytes; null where none is large enough.</summary>
    /// <param name="forecast">The run.</param>
    public static long? SmallestCard(MemoryForecast forecast)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        return CardSizes.Where(card => forecast.Peak <= Usable(card)).Cast<long?>().FirstOrDefault();
    }

    /// <summary>
    /// The changes that make a run fit, in the order of what costs least: what is not used leaves memory, half-precision weights,
    /// checkpointing, one picture at a time, smaller pictures. Those that turn out not to be needed are left out.
    /// </summary>
    /// <param name="settings">The run as wished.</param>
    /// <param name="bytes">Memory that the run may count on; see <see cref="Usable"/>.</param>
    /// <returns>The changes and what the run needs with them; null where it does not fit with all of them.</returns>
    public (IReadOnlyList<string> Changes, MemoryForecast Forecast)? Fit(MemorySettings settings, long bytes)
    {
        ArgumentNullException.ThrowIfNull(settings);
        MemoryForecast With(IEnumerable<(string Change, Func<MemorySettings, MemorySettings> Apply)> some) =>
            Forecast(some.Aggregate(settings, (changed, change) => change.Apply(changed)));
        var all = Changes(settings);
        var count = Enumerable.Range(0, all.Count + 1).FirstOrDefault(i => With(all.Take(i)).Peak <= bytes, -1);
        if (count < 0)
            return null;
        var kept = all.Take(count).ToList();
        for (var i = count - 2; i >= 0; i--)
        {
            var fewer = kept.Where((_, index) => index != i).ToList();
            if (With(fewer).Peak <= bytes)
                kept = fewer;
        }

        return ([.. kept.Select(change => change.Change)], With(kept));
    }

    private List<(string Change, Func<MemorySettings, MemorySettings> Apply)> Changes(MemorySettings settings)
    {
        var changes = new List<(string, Func<MemorySettings, MemorySettings>)>();
        void Add(string change, bool applies, Func<MemorySettings, MemorySettings> apply)
        {
            if (applies)
                changes.Add((change, apply));
        }

        var trains = settings.Training != TrainingKind.None;
        Add("--memory balanced", !settings.OnDemand, s => s with { Memory = MemoryMode.Balanced });
        Add(
            "mixed_precision bf16", settings.Dtype == ScalarType.Float32 && settings.Training != TrainingKind.Full,
            s => s with { Dtype = ScalarType.BFloat16 });
        Add("autoencoder in bf16", settings.VaeDtype == ScalarType.Float32, s => s with { VaeDtype = ScalarType.BFloat16 });
        Add("train_batch_size 1", trains && settings.TrainBatchSize > 1, s => s with { TrainBatchSize = 1 });
        Add(
            "--memory low", trains ? !settings.UsesCheckpointing : !settings.StreamsBlocks, s => s with
            {
                Memory = MemoryMode.Low,
                StreamTransformer = !trains,
            });
        Add("one picture at a time", settings.SampleBatchSize > 1, s => s with { SampleBatchSize = 1 });
        Add("no CLIP LoRA", trains && settings.TrainTextEncoder, s => s with { TrainTextEncoder = false });
        Add("validation pictures of 512 px", (settings.SampleResolution ?? OwnSize) > 512, s => s with { SampleResolution = 512 });
        Add("without T5", settings.WithT5 && Model.T5 is not null, s => s with { WithT5 = false });
        Add("resolution 256", trains && settings.Resolution > 256, s => s with { Resolution = 256 });
        return changes;
    }

    private int OwnSize => Model.Transformer.SampleSize * Model.Vae.SpatialFactor;

    /// <summary>How many numbers a training trains.</summary>
    /// <param name="settings">The training.</param>
    internal long TrainedNumbers(MemorySettings settings)
    {
        var numbers = settings.Training == TrainingKind.Lora
            ? Model.LoraParameters("transformer", settings.TransformerLora) : TrainedTransformer();
        return !settings.TrainTextEncoder ? numbers : numbers + Model.LoraParameters("text_encoder", settings.TextEncoderLora)
            + Model.LoraParameters("text_encoder_2", settings.TextEncoderLora);
    }

    /// <summary>The shapes of the tensors of a LoRA.</summary>
    /// <param name="settings">The training.</param>
    internal IReadOnlyList<long[]> TrainedShapes(MemorySettings settings)
    {
        var text = settings.TextEncoderLora;
        return
        [
            .. Model.LoraShapes("transformer", settings.TransformerLora),
            .. settings.TrainTextEncoder ? Model.LoraShapes("text_encoder", text) : [],
            .. settings.TrainTextEncoder ? Model.LoraShapes("text_encoder_2", text) : [],
        ];
    }

    private List<MemoryTerm> TrainedState(MemorySettings settings)
    {
        var lora = settings.Training == TrainingKind.Lora;
        var numbers = TrainedNumbers(settings);
        var optimizer = lora ? settings.Optimizer : new();
        var state = lora ? optimizer.StateBytes(TrainedShapes(settings)) : 2 * numbers * MasterBytes;
        var terms = new List<MemoryTerm>
        {
            new("gradients", numbers * MasterBytes, true, "one float32 for each trained number"),
            new("optimizer state", state, true, optimizer.What),
        };
        if (lora && settings.Dtype != ScalarType.Float32 && settings.TransformerLora.IsPlain)
            terms.Insert(0, ComputeCopy(settings, numbers));
        if (lora)
            terms.Add(new(
                "state before the step", (numbers * MasterBytes) + state, true, "LoRA and optimizer state, for a step that is taken back"));
        if (lora && optimizer.Copies > 0)
        {
            terms.Add(new(
                "averaged weights", optimizer.Copies * numbers * MasterBytes, true, "weights that are trained beside the average to keep"));
        }
        if (lora)
            terms.Insert(0, new("LoRA", numbers * MasterBytes, true, $"rank {settings.Rank}: {numbers:N0} numbers in Float32"));
        return terms;
    }

    // Matrices and gradients in the type of the models' compute, with a rank of 8 or more, and where that adds zeros the places of the
    // others.
    private static MemoryTerm ComputeCopy(MemorySettings settings, long numbers)
    {
        var padded = numbers / settings.Rank * LoraAdapter.Padded(settings.Rank);
        return new(
            "LoRA to compute with",
            (2 * padded * ComponentSize.ElementSize(settings.Dtype)) + (padded > numbers ? numbers * sizeof(long) : 0), true,
            $"matrices and gradients in {settings.Dtype}");
    }

    // The table of positions is fixed.
    private long TrainedTransformer() =>
        Model.Components[0].Parameters
            - ((long)Model.Transformer.PosEmbedMaxSize * Model.Transformer.PosEmbedMaxSize * Model.Transformer.InnerDim);

    private MemoryTerm[] Caches(MemorySettings settings)
    {
        long side = settings.Resolution / Model.Vae.SpatialFactor;
        var latents = 2 * settings.CachedPictures * Model.Vae.LatentChannels * side * side * MasterBytes;
        return [new("latent cache", latents, true, $"mean and deviation of {settings.CachedPictures} pictures")];
    }

    // What encoding in every step takes; a captured step keeps its memory meanwhile.
    private static IEnumerable<MemoryTerm> InStep(MemorySettings settings, params IEnumerable<MemoryTerm> terms) =>
        settings.EncodesInSteps ? terms : [];

    private static MemoryTerm Estimate(string name, long bytes, string how) => new(name, bytes, false, how);
}
