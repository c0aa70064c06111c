using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Models.TextEncoders;
using Dreambooth.Lab.Models.Transformers;
using Dreambooth.Lab.Tensors;

namespace Dreambooth.Lab.Pipelines;

/// <summary>The weights of a model's components that a LoRA may change, under their published names; nothing is loaded.</summary>
internal sealed class ModelWeights : IDisposable
{
    private static readonly (SingleFilePart Part, string WeightsName, KeyMapping? Names)[] Parts =
    [
        (SingleFilePart.Transformer, SD3Transformer2DModel.WeightsName, null),
        (SingleFilePart.Clip, CLIPTextModelWithProjection.WeightsName, OriginalLayout.Clip),
        (SingleFilePart.Clip2, CLIPTextModelWithProjection.WeightsName, OriginalLayout.Clip2),
        (SingleFilePart.T5, T5EncoderModel.WeightsName, OriginalLayout.T5),
    ];

    private readonly List<Checkpoint> _files = [];

    /// <summary>The components that are there.</summary>
    public Dictionary<string, ITensorSource> Components { get; } = new(StringComparer.Ordinal);

    /// <summary>The files of weights.</summary>
    public IEnumerable<string> Files => _files.SelectMany(file => file.Files);

    /// <summary>Opens a model.</summary>
    /// <param name="model">
    /// A folder in the published layout, one file in the original layout, or a folder of components without <c>model_index.json</c>.
    /// </param>
    /// <exception cref="LabException">There is none, or a file of it is malformed.</exception>
    public static ModelWeights Open(string model)
    {
        var weights = new ModelWeights();
        try
        {
            if (Directory.Exists(model))
                weights.OpenFolder(model);
            else if (File.Exists(model))
                weights.OpenFile(model);
            if (!weights.Components.ContainsKey(SingleFilePart.Transformer.Component))
                throw new LabException(
                    $"{model} holds no transformer of Stable Diffusion 3; a model is a folder such as diffusers', or one file in the "
                    + "original layout.");
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Closes the files.</summary>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private void OpenFolder(string model)
    {
        foreach (var (part, name, _) in Parts.Where(entry => Directory.Exists(Path.Combine(model, entry.Part.Component))))
            Components.Add(part.Component, Opened(Checkpoint.OpenFolder(Path.Combine(model, part.Component), name)));
    }

    private void OpenFile(string model)
    {
        var file = Opened(Checkpoint.Open(model));
        foreach (var (part, _, names) in Parts)
        {
            if (part.PrefixIn(file) is { } prefix)
            {
                Components.Add(part.Component, new MappedCheckpoint(
                    file, prefix, names ?? OriginalLayout.Transformer(TransformerTraits.Of(file, prefix).Blocks)));
            }
        }
    }

    private Checkpoint Opened(Checkpoint file)
    {
        _files.Add(file);
        return file;
    }
}
