using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.Autoencoders;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tokenizers;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// A model that came as one file in the original layout. What the file lacks (text encoders, autoencoder, tokenizers) is taken from a
/// folder, which may be a published one or hold the original files apart.
/// </summary>
internal sealed class SingleFileModel : IDisposable
{
    private const int ListedNames = 12;

    private readonly Checkpoint _file;
    private readonly PipelineOptions _options;
    private readonly string _components;
    private readonly List<Checkpoint> _apart = [];

    private SingleFileModel(Checkpoint file, PipelineOptions options)
    {
        (_file, _options) = (file, options);
        _components = options.ComponentsFolder ?? Path.GetDirectoryName(Path.GetFullPath(file.Path))!;
        Preset = Recognise(file, options.SingleFilePresets);
        CheckNames();
        CheckParts();
    }

    /// <summary>The configurations that fit the file.</summary>
    public SingleFilePreset Preset { get; }

    /// <summary>Opens the file, recognises the model and looks for what the file lacks; nothing is loaded yet.</summary>
    /// <param name="path">A safetensors file, or the index of a sharded one.</param>
    /// <param name="options">Where and how.</param>
    /// <exception cref="LabException">
    /// The file is malformed or no known model, or a component is nowhere; the message says which.
    /// </exception>
    public static SingleFileModel Open(string path, PipelineOptions options)
    {
        if (options.ComponentsFolder is not null && !Directory.Exists(options.ComponentsFolder))
        {
            throw new LabException(
                $"The components folder '{ShownText.Line(options.ComponentsFolder)}' does not exist. It is a folder with what the model's "
                + "file lacks: text encoders, autoencoder, tokenizers.");
        }

        ModelIndex.RefuseConfigs(path);
        var file = Checkpoint.Open(path);
        try
        {
            return new SingleFileModel(file, options);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public ModelSource<SD3TransformerConfig> Transformer() => new(
        Preset.Transformer,
        new MappedCheckpoint(_file, SingleFilePart.Transformer.PrefixIn(_file)!, OriginalLayout.Transformer(Preset.Transformer.NumLayers)));

    /// <summary>The autoencoder.</summary>
    public ModelSource<AutoencoderKLConfig> Vae() =>
        Source(
            SingleFilePart.Vae, OriginalLayout.Vae(Preset.Vae.BlockOutChannels.Count), Preset.Vae, AutoencoderKL.WeightsName,
            AutoencoderKLConfig.Read);

    /// <summary>The first CLIP encoder.</summary>
    public ModelSource<CLIPTextConfig> Clip() =>
        Source(SingleFilePart.Clip, OriginalLayout.Clip, Preset.Clip, CLIPTextModelWithProjection.WeightsName, CLIPTextConfig.Read);

    /// <summary>The second CLIP encoder.</summary>
    public ModelSource<CLIPTextConfig> Clip2() =>
        Source(SingleFilePart.Clip2, OriginalLayout.Clip2, Preset.Clip2, CLIPTextModelWithProjection.WeightsName, CLIPTextConfig.Read);

    /// <summary>T5.</summary>
    public ModelSource<T5Config> T5() => Source(SingleFilePart.T5, OriginalLayout.T5, Preset.T5, T5EncoderModel.WeightsName, T5Config.Read);

    /// <summary>Opens the weights of all parts: the file, then those apart from it.</summary>
    /// <param name="withT5">Whether T5 is wanted.</param>
    public IReadOnlyList<Checkpoint> OpenAll(bool withT5)
    {
        _ = (Vae(), Clip(), Clip2(), withT5 ? T5() : null);
        return [_file, .. _apart];
    }

    /// <summary>Loads a tokenizer: of the components folder where it has one, else with the published config.</summary>
    /// <param name="name">Its folder's name, as <c>tokenizer_2</c>.</param>
    /// <param name="published">The published config for a folder.</param>
    /// <param name="files">Where vocabularies are looked for.</param>
    public ITextTokenizer LoadTokenizer(string name, Func<string, TokenizerConfig> published, TokenizerFiles files)
    {
        var folder = Path.Combine(_components, name);
        return TokenizerLoader.Load(
            File.Exists(Path.Combine(folder, "tokenizer_config.json")) ? TokenizerConfig.Read(folder) : published(folder), files);
    }

    /// <summary>Closes the files; what was loaded stays valid.</summary>
    public void Dispose()
    {
        _apart.ForEach(file => file.Dispose());
        _file.Dispose();
    }

    // In the file itself, else in a published folder with its own configuration, else in a file apart.
    private ModelSource<T> Source<T>(SingleFilePart part, KeyMapping mapping, T config, string weightsName, Func<string, T> read)
    {
        if (part.PrefixIn(_file) is { } prefix)
            return new(config, new MappedCheckpoint(_file, prefix, mapping));
        if (part.FolderIn(_components) is { } folder)
            return new(read(Path.Combine(folder, "config.json")), Opened(Checkpoint.OpenFolder(folder, weightsName, _options.Variant)));
        var apart = Opened(Checkpoint.Open(part.FileIn(_components)!));
        return new(config, new MappedCheckpoint(apart, part.PrefixIn(apart) ?? "", mapping));
    }

    private Checkpoint Opened(Checkpoint file)
    {
        _apart.Add(file);
        return file;
    }

    /// <summary>The model whose transformer a file holds.</summary>
    /// <param name="file">The file.</param>
    /// <param name="presets">The models that are known.</param>
    /// <exception cref="LabException">It holds none, or one of other sizes.</exception>
    public static SingleFilePreset Recognise(Checkpoint file, IReadOnlyList<SingleFilePreset> presets)
    {
        if (SingleFilePart.Transformer.PrefixIn(file) is not { } prefix)
        {
            var advice = ModelIndex.WholeOf(file.Path) is { } whole
                ? $"It is a part of the model {whole}: name that."
                : "A model is a file such as sd3.5_medium.safetensors, or a folder with model_index.json.";
            throw new LabException(
                $"{file.Path} holds no Stable Diffusion 3 transformer in the original layout (no model.diffusion_model."
                + $"{TransformerTraits.Probe}). {advice}");
        }

        var traits = TransformerTraits.Of(file, prefix);
        return presets.FirstOrDefault(preset => TransformerTraits.Of(preset.Transformer) == traits)
            ?? throw new LabException(
                $"The transformer of {file.Path} is none that is known. It has {traits}. Known are"
                + string.Concat(
                    presets.Select(preset => $"{Environment.NewLine}  {preset.Name}: {TransformerTraits.Of(preset.Transformer)}")));
    }

    private void CheckNames()
    {
        var prefixes = SingleFilePart.All.Select(part => part.PrefixIn(_file)).OfType<string>().ToList();
        var unknown = _file.Names
            .Where(
                name => !SingleFilePart.IsSuperfluous(name)
                    && !prefixes.Exists(prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal)
            .ToList();
        if (unknown.Count > 0)
            throw new LabException(
                $"{_file.Path} holds {unknown.Count} tensors that belong to no component of {Preset.Name}: "
                + $"{string.Join(", ", unknown.Take(ListedNames))}{(unknown.Count > ListedNames ? ", …" : ".")}");
    }

    private void CheckParts()
    {
        var missing = SingleFilePart.All
            .Where(part => part != SingleFilePart.T5 || _options.WithT5)
            .Where(part => part.PrefixIn(_file) is null && part.FolderIn(_components) is null && part.FileIn(_components) is null)
            .ToList();
        if (missing.Count == 0)
            return;
        var places = missing.Select(
            part => $"{Environment.NewLine}  {part.Title}: {part.Component}{Path.DirectorySeparatorChar} with config.json and weights, or "
                + $"{string.Join(" or ", part.FileNames.Take(2))}");
        throw new LabException(
            $"{_file.Path} is {Preset.Name} without {string.Join(", ", missing.Select(part => part.Title))}. Looked in {_components} (and "
            + "its text_encoders and vae) for"
            + string.Concat(places) + Environment.NewLine
            + "Name a folder that has them by --components"
            + (missing.Contains(SingleFilePart.T5) ? ", or generate without T5 by --without_t5." : "."));
    }
}
