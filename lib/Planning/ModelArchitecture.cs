using System.Globalization;
using Dreambooth.Lab.Hub;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>
/// The sizes of a Stable Diffusion 3 model, from its configuration files alone: no weights are needed to count them. The models are
/// declared on libtorch's meta device, which has shapes but no data.
/// </summary>
public sealed class ModelArchitecture
{
    private static readonly string[] ComponentNames = ["transformer", "vae", "text_encoder", "text_encoder_2", "text_encoder_3"];
    private static readonly string[] WeightNames = ["diffusion_pytorch_model", "model"];

    private readonly Lazy<IReadOnlyList<ComponentSize>> _components;
    private readonly Lazy<IReadOnlyDictionary<string, IReadOnlyList<LinearSize>>> _linears;
    private readonly Lazy<IReadOnlyDictionary<string, IReadOnlyList<long>>> _blocks;

    /// <summary>Creates the description; nothing is counted yet.</summary>
    public ModelArchitecture()
    {
        _components = new Lazy<IReadOnlyList<ComponentSize>>(CountComponents);
        _linears = new Lazy<IReadOnlyDictionary<string, IReadOnlyList<LinearSize>>>(ListLinears);
        _blocks = new Lazy<IReadOnlyDictionary<string, IReadOnlyList<long>>>(CountBlocks);
    }

    /// <summary>The model's name, for tables.</summary>
    public required string Name { get; init; }

    /// <summary>The transformer.</summary>
    public required SD3TransformerConfig Transformer { get; init; }

    /// <summary>The autoencoder.</summary>
    public required AutoencoderKLConfig Vae { get; init; }

    /// <summary>The first CLIP encoder.</summary>
    public required CLIPTextConfig Clip { get; init; }

    /// <summary>The second CLIP encoder.</summary>
    public required CLIPTextConfig Clip2 { get; init; }

    /// <summary>T5's encoder, or null.</summary>
    public T5Config? T5 { get; init; }

    /// <summary>The longest side of a picture, in pixels: the transformer's table of positions ends there.</summary>
    internal int LargestSide => Transformer.PosEmbedMaxSize * Transformer.PatchSize * Vae.SpatialFactor;

    /// <summary>Stable Diffusion 3.5-medium, as its published configuration files describe it.</summary>
    public static ModelArchitecture Sd35Medium { get; } = Of(SingleFilePreset.Sd35Medium);

    /// <summary>The components, counted; in the order in which a pipeline loads them.</summary>
    public IReadOnlyList<ComponentSize> Components => _components.Value;

    /// <summary>Numbers of all components together.</summary>
    public long Parameters => Components.Sum(component => component.Parameters);

    /// <summary>The sizes of a model that comes as one file.</summary>
    /// <param name="preset">Its configurations.</param>
    public static ModelArchitecture Of(SingleFilePreset preset)
    {
        ArgumentNullException.ThrowIfNull(preset);
        return new ModelArchitecture
        {
            Name = preset.Name,
            Transformer = preset.Transformer,
            Vae = preset.Vae,
            Clip = preset.Clip,
            Clip2 = preset.Clip2,
            T5 = preset.T5,
        };
    }

    /// <summary>
    /// Reads the configuration files of a model folder, which needs no weights in it, or recognises a model that is one file.
    /// </summary>
    /// <param name="folder">
    /// A folder with <c>model_index.json</c> and a <c>config.json</c> per component, or a file in the original layout.
    /// </param>
    /// <param name="name">The name for tables; null for the folder's.</param>
    /// <exception cref="Foundation.LabException">A file is missing or not valid.</exception>
    public static ModelArchitecture Read(string folder, string? name = null)
    {
        if (File.Exists(folder))
            return Of(SingleFilePreset.Recognise(folder));
        var index = ModelIndex.Read(folder);
        string Config(string component) => Path.Combine(index.PathOf(component), "config.json");
        return new ModelArchitecture
        {
            Name = name ?? Path.GetFileName(Path.GetFullPath(folder).TrimEnd(Path.DirectorySeparatorChar)),
            Transformer = SD3TransformerConfig.Read(Config("transformer")),
            Vae = AutoencoderKLConfig.Read(Config("vae")),
            Clip = CLIPTextConfig.Read(Config("text_encoder")),
            Clip2 = CLIPTextConfig.Read(Config("text_encoder_2")),
            T5 = index.Has("text_encoder_3") ? T5Config.Read(Config("text_encoder_3")) : null,
        };
    }

    /// <summary>
    /// The sizes of what a configuration names. Nothing is downloaded: a name on the hub must be in its cache, but for Stable Diffusion
    /// 3.5-medium, whose sizes are known without its files.
    /// </summary>
    /// <param name="nameOrPath">A folder, a file, or a name on the hub.</param>
    /// <exception cref="Foundation.LabException">It is not there, or a file of it is not valid.</exception>
    public static ModelArchitecture Find(string nameOrPath)
    {
        try
        {
            return Read(new HubResolver(HubOptions.FromEnvironment() with { Offline = true }).Model(nameOrPath));
        }
        catch (HubException error) when (error.Kind == HubErrorKind.Offline && IsSd35Medium(nameOrPath))
        {
            return Sd35Medium;
        }
    }

    /// <summary>Whether a name on the hub is that of Stable Diffusion 3.5-medium, by whatever owner.</summary>
    internal static bool IsSd35Medium(string name) => name.EndsWith("stable-diffusion-3.5-medium", StringComparison.Ordinal);

    /// <summary>Counts the weight files of a model folder by their headers; no weights are read.</summary>
    /// <param name="folder">A model folder with its weights.</param>
    /// <returns>The components that have weight files, in the order of their names.</returns>
    /// <exception cref="Foundation.LabException">The folder is missing, or a file is malformed.</exception>
    public static IReadOnlyList<ComponentSize> CountFiles(string folder)
    {
        var index = ModelIndex.Read(folder);
        var sizes = new List<ComponentSize>();
        foreach (var name in ComponentNames.Where(index.Has))
        {
            var weights = WeightNames.FirstOrDefault(
                file => Directory.Exists(index.PathOf(name)) && Directory.EnumerateFiles(index.PathOf(name), file + ".safetensors*").Any());
            if (weights is null)
                continue;
            using var checkpoint = Checkpoint.OpenFolder(index.PathOf(name), weights);
            sizes.Add(new ComponentSize(
                name, checkpoint.Entries.Values.Sum(entry => entry.ElementCount),
                checkpoint.Entries.Values.GroupBy(entry => entry.DType)
                    .ToDictionary(group => group.Key, group => group.Sum(entry => entry.ByteLength))));
        }

        return sizes;
    }

    /// <summary>The numbers of a LoRA on every layer that it targets; plain LoRA has rank × (inputs + outputs).</summary>
    /// <param name="component">The component's folder: <c>transformer</c>, <c>text_encoder</c> or <c>text_encoder_2</c>.</param>
    /// <param name="lora">Variant, rank and targets.</param>
    public long LoraParameters(string component, LoraConfig lora)
    {
        ArgumentNullException.ThrowIfNull(lora);
        return LoraShapes(component, lora).Sum(LoraParts.Count);
    }

    /// <summary>The shapes of a LoRA's tensors on every layer that it targets.</summary>
    internal IEnumerable<long[]> LoraShapes(string component, LoraConfig lora)
    {
        var ranks = new LoraLayerRanks(lora);
        return from linear in _linears.Value.GetValueOrDefault(component, [])
               where lora.Targets(linear.Path)
               from entry in LoraParts.For(ranks.At(linear.Path), linear.Outputs, linear.Inputs).Entries
               select entry.Shape;
    }

    /// <summary>The layers that can have LoRA, by their paths, each with how many numbers its LoRA would have.</summary>
    internal IReadOnlyList<(string Path, long Numbers)> LoraLayers(string component, LoraConfig lora)
    {
        var ranks = new LoraLayerRanks(lora);
        return
        [
            .. _linears.Value.GetValueOrDefault(component, []).Select(
                linear => (linear.Path, LoraParts.For(ranks.At(linear.Path), linear.Outputs, linear.Inputs).Length)),
        ];
    }

    /// <summary>The transformer's layers that a LoRA changes.</summary>
    internal IEnumerable<LinearSize> LoraTargets(LoraConfig lora) =>
        _linears.Value.GetValueOrDefault("transformer", []).Where(linear => lora.Targets(linear.Path));

    /// <summary>Numbers of each block of a component, in order; empty for one whose blocks are never loaded apart.</summary>
    /// <param name="component">The component's folder: <c>transformer</c> or <c>text_encoder_3</c>.</param>
    internal IReadOnlyList<long> Blocks(string component) => _blocks.Value.GetValueOrDefault(component, []);

    /// <summary>What quantization makes smaller in each of the transformer's blocks: numbers of weights, and their outputs.</summary>
    internal IReadOnlyList<(long Weights, long Outputs)> Quantizable() =>
    [
        .. _linears.Value["transformer"].Where(linear => SD3Transformer2DModel.IsQuantizable(linear.Path))
            .GroupBy(linear => int.Parse(linear.Path.Split('.')[1], CultureInfo.InvariantCulture)).OrderBy(block => block.Key)
            .Select(block => (block.Sum(linear => linear.Inputs * linear.Outputs), block.Sum(linear => linear.Outputs))),
    ];

    private Dictionary<string, IReadOnlyList<long>> CountBlocks() => Declare((name, module) =>
    {
        IEnumerable<nn.Module> blocks =
            module switch { SD3Transformer2DModel transformer => transformer.TransformerBlocks, T5EncoderModel t5 => t5.Blocks, _ => [] };
        return (name, Sizes: (IReadOnlyList<long>)[.. blocks.Select(block => block.parameters().Sum(parameter => parameter.numel()))]);
    }).ToDictionary(entry => entry.name, entry => entry.Sizes);

    private List<ComponentSize> CountComponents() => Declare((name, module) =>
    {
        var count = module.parameters().Sum(parameter => parameter.numel());
        return new ComponentSize(name, count, new Dictionary<ScalarType, long> { [ScalarType.Float32] = count * 4 });
    });

    private Dictionary<string, IReadOnlyList<LinearSize>> ListLinears() =>
        Declare((name, module) => (name, Linears: (IReadOnlyList<LinearSize>)
        [.. module.named_modules().Where(entry => entry.module is LoraLinear)
            .Select(entry => new LinearSize(entry.name, ((LoraLinear)entry.module).InFeatures, ((LoraLinear)entry.module).OutFeatures))]))
        .ToDictionary(entry => entry.name, entry => entry.Linears);

    private List<T> Declare<T>(Func<string, nn.Module, T> look)
    {
        using var scope = NewDisposeScope();
        var results = new List<T>();
        void Look(string name, nn.Module module)
        {
            results.Add(look(name, module));
            module.Dispose();
        }

        Look("transformer", new SD3Transformer2DModel(Transformer, META, ScalarType.Float32));
        Look("vae", new AutoencoderKL(Vae, META, ScalarType.Float32));
        Look("text_encoder", new CLIPTextModelWithProjection(Clip, META, ScalarType.Float32));
        Look("text_encoder_2", new CLIPTextModelWithProjection(Clip2, META, ScalarType.Float32));
        if (T5 is not null)
            Look("text_encoder_3", new T5EncoderModel(T5, META, ScalarType.Float32));
        return results;
    }

    internal sealed record LinearSize(string Path, long Inputs, long Outputs);
}
