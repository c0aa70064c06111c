using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Imaging;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Native.Cuda;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Schedulers;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Text to pictures with Stable Diffusion 3 (diffusers <c>pipeline_stable_diffusion_3.py</c>, commit 58eb52c): encode the
/// prompts, denoise latents from noise with guidance, decode them. Letters: B pictures, C latent channels, h and w of the
/// latents.
/// </summary>
public sealed partial class StableDiffusion3Pipeline : IDisposable
{
    /// <summary>Largest useful batch of pictures: more are no faster, and at full size no GPU holds many more.</summary>
    internal const int WorthAtATime = 8;

    private readonly List<LoraAdapter> _adapters = [];
    private WeightsOnDemand? _vaeWeights;
    private IDisposable? _files;

    private StableDiffusion3Pipeline(
        PromptEncoder prompts, SD3Transformer2DModel transformer, AutoencoderKL vae, FlowMatchEulerDiscreteSchedulerConfig scheduler,
        PipelineOptions options)
    {
        (Prompts, Transformer, Vae, SchedulerConfig, Options) = (prompts, transformer, vae, scheduler, options);
        // A forward that loads blocks as it runs cannot be captured.
        Recorder = options.CudaGraph && !transformer.IsStreamed ? CudaGraph.RecorderOf(options.Device) : null;
        // One picture's activations at a time: at full size they are gigabytes, and nothing is gained by more at once.
        Vae.UseSlicing = true;
    }

    /// <summary>Prompts to embeddings.</summary>
    public PromptEncoder Prompts { get; }

    /// <summary>Predicts the flow.</summary>
    public SD3Transformer2DModel Transformer { get; }

    /// <summary>
    /// Latents to pictures and back. With <see cref="MemoryMode.Balanced"/> and <see cref="MemoryMode.Low"/> its weights are there while
    /// <see cref="HoldVae"/>'s result lives.
    /// </summary>
    public AutoencoderKL Vae { get; }

    /// <summary>The noise schedule.</summary>
    public FlowMatchEulerDiscreteSchedulerConfig SchedulerConfig { get; }

    /// <summary>Where and how the models were loaded.</summary>
    public PipelineOptions Options { get; }

    /// <summary>The adapters that are loaded.</summary>
    public IReadOnlyList<LoraAdapter> Adapters => _adapters;

    /// <summary>The size of pictures that the model was made for, in pixels.</summary>
    public int DefaultSize => Transformer.Config.SampleSize * Vae.Config.SpatialFactor;

    /// <summary>Sides of pictures must be multiples of this many pixels: 16 for published models.</summary>
    public int SizeMultiple => Transformer.Config.PatchSize * Vae.Config.SpatialFactor;

    /// <summary>The models that a LoRA may change, with the prefixes of LoRA files.</summary>
    public IReadOnlyList<LoraComponent> LoraComponents =>
        [new("transformer", Transformer), new("text_encoder", Prompts.Clip), new("text_encoder_2", Prompts.Clip2)];

    // A T5 whose weights pass through memory has encoded prompts already that an update would change.
    private IReadOnlyList<LoraComponent> LoadableComponents =>
        Prompts is { T5: { } t5, OnDemand: null } ? [.. LoraComponents, new("text_encoder_3", t5)] : LoraComponents;

    /// <summary>Its models with their sizes, the transformer first.</summary>
    public IReadOnlyList<PipelinePart> Parts
    {
        get
        {
            (string Name, nn.Module? Model)[] models =
                [("transformer", Transformer), ("vae", Vae), ("text_encoder", Prompts.Clip), ("text_encoder_2", Prompts.Clip2),
                    ("text_encoder_3", Prompts.T5)];
            return [.. models.Where(entry => entry.Model is not null).Select(entry => Measure(entry.Name, entry.Model!))];
        }
    }

    /// <summary>
    /// Loads a pipeline: a folder with <c>model_index.json</c> and a subfolder per component, or one file in the original layout, as
    /// <c>sd3.5_medium.safetensors</c>, whose model is recognised by its names and shapes.
    /// </summary>
    /// <param name="model">The folder or the file.</param>
    /// <param name="options">Where and how; null for float32 on the CPU.</param>
    /// <exception cref="LabException">A file is missing or does not fit; the message names it.</exception>
    public static StableDiffusion3Pipeline Load(string model, PipelineOptions? options = null)
    {
        options ??= new PipelineOptions();
        var loadedAt = DateTime.UtcNow;
        var pipeline = Load(PipelineSources.Open(model, options), options);
        pipeline._stamp = new Lazy<string?>(() => ModelOrigin.StampOf(model, options, loadedAt));
        pipeline._origin = new Lazy<ModelOrigin>(() => ModelOrigin.Of(model, options));
        return pipeline;
    }

    /// <summary>A pipeline of models that are there already; it owns them.</summary>
    internal static StableDiffusion3Pipeline Of(
        PromptEncoder prompts, SD3Transformer2DModel transformer, AutoencoderKL vae, FlowMatchEulerDiscreteSchedulerConfig scheduler,
        PipelineOptions options,
        (WeightsOnDemand Vae, IDisposable Files)? onDemand = null) =>
            new(prompts, transformer, vae, scheduler, options) { _vaeWeights = onDemand?.Vae, _files = onDemand?.Files };

    /// <summary>Loads a pipeline.</summary>
    /// <param name="sources">What it is made of; the pipeline takes it over.</param>
    /// <param name="options">Where and how.</param>
    internal static StableDiffusion3Pipeline Load(PipelineSources sources, PipelineOptions options)
    {
        try
        {
            if (options.Memory is MemoryMode.Balanced or MemoryMode.Low || options.StreamTransformer)
                return PipelineOnDemand.Load(sources, options);
            var (device, dtype) = (options.Device, options.Dtype);
            var transformer = SD3Transformer2DModel.Load(
                sources.Transformer.Config, sources.Transformer.Weights, device, dtype, options.Quantization == Quantization.Fp8);
            var vae = AutoencoderKL.Load(sources.Vae.Config, sources.Vae.Weights, device, options.VaeDtype);
            var clip = CLIPTextModelWithProjection.Load(sources.Clip.Config, sources.Clip.Weights, device, dtype);
            var clip2 = CLIPTextModelWithProjection.Load(sources.Clip2.Config, sources.Clip2.Weights, device, dtype);
            var t5 = sources.T5 is { } source ? T5EncoderModel.Load(source.Config, source.Weights, device, dtype) : null;
            var prompts = new PromptEncoder(
                clip, clip2, t5, sources.Tokenizer, sources.Tokenizer2, sources.Tokenizer3, transformer.Config.JointAttentionDim);
            sources.Dispose();
            return new StableDiffusion3Pipeline(prompts, transformer, vae, sources.Scheduler, options);
        }
        catch
        {
            sources.Dispose();
            throw;
        }
    }

    /// <summary>Loads a LoRA file onto the models.</summary>
    /// <param name="path">A file in diffusers' or PEFT's form, or a folder that holds one.</param>
    /// <param name="weight">How strongly it acts; 1 as trained.</param>
    /// <param name="name">The adapter's name; null for <c>adapter_N</c>.</param>
    /// <returns>How the file fitted; its warnings are told to <see cref="PromptEncoder.Warn"/> too.</returns>
    /// <exception cref="LabException">Nothing in the file fits, a shape is wrong, a value is not finite, or the name is taken.</exception>
    public LoraLoadReport LoadLora(string path, double weight = 1, string? name = null)
    {
        var (adapter, report) = LoraFile.Load(path, name ?? FreeAdapterName(), LoadableComponents, Options.Device, Options.Dtype);
        adapter.Weight = weight;
        _adapters.Add(adapter);
        _loraOrigins.Add(adapter, new Lazy<UsedLora>(() => OriginOf(path)));
        foreach (var warning in report.Warnings)
            Prompts.Warn?.Invoke(warning);
        return report;
    }

    /// <summary>Removes an adapter from the models and frees it.</summary>
    /// <param name="adapter">One of <see cref="Adapters"/>.</param>
    public void UnloadLora(LoraAdapter adapter)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        if (_adapters.Remove(adapter))
        {
            _loraOrigins.Remove(adapter);
            adapter.Dispose();
        }
    }

    /// <summary>
    /// How many of many pictures to generate at a time, at most: the number beyond which nothing is gained, or what fits in memory.
    /// </summary>
    internal int MostAtATime { get; set; } = WorthAtATime;

    /// <summary>Generates pictures.</summary>
    /// <param name="request">What.</param>
    /// <param name="onStep">Called after each denoising step.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <returns>Pictures, those of the first prompt first.</returns>
    /// <exception cref="LabException">The request is not valid for this model.</exception>
    /// <exception cref="NonFiniteException">Text, latents or pixels are not finite; the message names step and likely cause.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IReadOnlyList<RgbImage> Generate(
        GenerationRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return [.. GenerateEach(request, onStep, cancellation)];
    }

    /// <summary>
    /// Generates pictures and yields each as soon as it is decoded, so that it can be saved before the next: decoding takes seconds at full
    /// size. Lazy: work starts with the first picture.
    /// </summary>
    /// <param name="request">What.</param>
    /// <param name="onStep">Called after each denoising step.</param>
    /// <param name="cancellation">Ends the run between two steps; pictures whose steps are done are all decoded.</param>
    /// <returns>Pictures, those of the first prompt first.</returns>
    /// <exception cref="LabException">The request is not valid for this model.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public IEnumerable<RgbImage> GenerateEach(
        GenerationRequest request, Action<DenoisingStep>? onStep = null, CancellationToken cancellation = default)
    {
        using var latents = Denoise(request, onStep, cancellation);
        using var held = HoldVae();
        for (var i = 0; i < latents.shape[0]; i++)
            yield return DecodeOne(request, latents, i);
    }

    /// <summary>Captures a denoising step; null for plain calls, and after a failed capture.</summary>
    internal Func<Device, Action, IReplayable>? Recorder { get; set; }

    /// <summary>
    /// Encodes the texts of later requests with T5 in advance, many per pass over its file; no effect where T5 is in memory
    /// (<see cref="MemoryMode.Fast"/>).
    /// </summary>
    /// <param name="requests">The requests, as they will be generated.</param>
    public void PreparePrompts(IEnumerable<GenerationRequest> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        Prompts.Prepare(
            requests.SelectMany(
                request => new[] { (request.Prompts3 ?? request.Prompts, request.MaxSequenceLength),
                    (Negative(request), request.MaxSequenceLength) }
            .Take(request.UsesGuidance ? 2 : 1)));
    }

    /// <summary>
    /// Keeps the autoencoder's weights in memory until disposed; no effect where they always are (<see cref="MemoryMode.Fast"/>).
    /// </summary>
    /// <returns>Lets go of them when disposed.</returns>
    public IDisposable? HoldVae() => _vaeWeights?.Hold();

    /// <summary>Decodes latents to pixels.</summary>
    /// <param name="latents">Latents as the transformer sees them, <c>[B, C, h, w]</c>.</param>
    /// <returns>About −1 … 1, float32, <c>[B, 3, H, W]</c>.</returns>
    public Tensor Decode(Tensor latents)
    {
        ArgumentNullException.ThrowIfNull(latents);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var held = HoldVae();
        return Vae.Decode(Vae.UnscaleLatents(latents).to(Options.VaeDtype)).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>Decodes one of several latents, by itself.</summary>
    internal RgbImage DecodeOne(GenerationRequest request, Tensor latents, int index)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var pixels = Decode(latents.narrow(0, index, 1));
        using var trace = new FiniteTrace();
        trace.Add("The pictures' pixels", pixels, ("vae", Vae));
        trace.Require(() => FiniteTrace.Suspects(request, _adapters, Options.VaeDtype));
        return PixelTensors.Unstack(pixels)[0];
    }

    /// <summary>Frees the models and the adapters.</summary>
    public void Dispose()
    {
        foreach (var adapter in _adapters)
            adapter.Dispose();
        _adapters.Clear();
        Prompts.Dispose();
        Transformer.Dispose();
        Vae.Dispose();
        _files?.Dispose();
    }

    private void StopRecording(string warning)
    {
        Recorder = null;
        Prompts.Warn?.Invoke(warning);
    }

    private static PipelinePart Measure(string name, nn.Module model)
    {
        var parameters = model.parameters().ToArray();
        return new PipelinePart(
            name, model.GetType().Name, parameters.Sum(parameter => parameter.numel()),
            parameters.Sum(parameter => parameter.numel() * parameter.element_size()));
    }

    private string FreeAdapterName() =>
        Enumerable.Range(0, _adapters.Count + 1).Select(i => $"adapter_{i}")
            .First(name => !_adapters.Exists(adapter => adapter.Name == name));
}
