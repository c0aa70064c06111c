using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Layers;
using Dreambooth.Lab.Tensors;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Evaluation;

/// <summary>
/// A small convolutional network that reads a painted picture's attributes, and whether it shows the character, from 128-pixel pictures.
/// Letters: B pictures, F features, K classes of all attributes together.
/// </summary>
internal sealed class AttributeClassifier : nn.Module<Tensor, AttributeReading>
{
    /// <summary>Name of the weights' file.</summary>
    public const string WeightsName = "model.safetensors";

    // Far beyond any that is of use; the products of sizes stay within what an index can count.
    private const int MostChannels = 8_192;

    [ComponentName(Name = "stages")]
    private readonly ModuleList<ClassifierStage> _stages;

    [ComponentName(Name = "stem")]
    private readonly Layers.Conv2d _stem;

    [ComponentName(Name = "features")]
    private readonly LoraLinear _features;

    [ComponentName(Name = "heads")]
    private readonly LoraLinear _heads;

    [ComponentName(Name = "identity")]
    private readonly LoraLinear _identity;

    /// <summary>Declares the layers; weights are loaded or drawn afterwards.</summary>
    public AttributeClassifier(int width, int features, Device device, ScalarType dtype)
        : base(nameof(AttributeClassifier))
    {
        int[] channels = [width, 2 * width, 4 * width, 6 * width];
        _stem = new Layers.Conv2d(3, width, 5, 2, 2, device, dtype);
        _stages = nn.ModuleList(
            channels.Select((count, i) => new ClassifierStage(i == 0 ? width : channels[i - 1], count, device, dtype)).ToArray());
        _features = new LoraLinear(2 * channels[^1], features, true, device, dtype);
        _heads = new LoraLinear(features, DrawingAttributes.All.Sum(attribute => attribute.Classes.Count), true, device, dtype);
        _identity = new LoraLinear(features, 1, true, device, dtype);
        RegisterComponents();
    }

    /// <summary>Loads a classifier's folder after checking it against its manifest.</summary>
    /// <param name="folder">A folder with <c>config.json</c>, <c>model.safetensors</c> and <c>MANIFEST.json</c>.</param>
    /// <param name="device">Where the parameters go.</param>
    /// <exception cref="LabException">A file is missing, changed or does not fit.</exception>
    public static AttributeClassifier Load(string folder, Device device)
    {
        MiniatureFolder.Verify(folder);
        var config = JsonFile.Read<ClassifierRecipe>(Path.Combine(folder, "config.json"));
        if (config.Width is < ClassifierStage.GroupWidth or > MostChannels || config.Width % ClassifierStage.GroupWidth != 0
            || config.Features is < 1 or > MostChannels)
        {
            throw new LabException(
                $"{Path.Combine(folder, "config.json")}: width is {config.Width} and features {config.Features}; valid is a width that is "
                + $"a multiple of {ClassifierStage.GroupWidth}, and both at most {MostChannels}.");
        }

        var model = new AttributeClassifier(config.Width, config.Features, META, ScalarType.Float32);
        using var checkpoint = Checkpoint.Open(Path.Combine(folder, WeightsName));
        StateDictLoader.Load(model, checkpoint, device, ScalarType.Float32);
        return model;
    }

    /// <summary>The maps of the stem and the first two stages: edges, patterns and eyes.</summary>
    /// <param name="input">−1 … 1, float32, <c>[B, 3, H, W]</c>.</param>
    internal Tensor[] FirstMaps(Tensor input)
    {
        using var scope = NewDisposeScope();
        var stem = _stem.call(input);
        var first = _stages[0].call(stem);
        var second = _stages[1].call(first);
        return [stem.MoveToOuterDisposeScope(), first.MoveToOuterDisposeScope(), second.MoveToOuterDisposeScope()];
    }

    /// <summary>Reads pictures.</summary>
    /// <param name="input">−1 … 1, float32, <c>[B, 3, H, W]</c>.</param>
    public override AttributeReading forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var hidden = _stem.call(input);
        foreach (var stage in _stages)
            hidden = stage.call(hidden);
        var flat = hidden.flatten(2);
        var features = _features.call(cat([flat.mean([2]), flat.amax([2])], dim: 1));
        var active = nn.functional.silu(features);
        return new AttributeReading(
            features.MoveToOuterDisposeScope(), _heads.call(active).MoveToOuterDisposeScope(),
            _identity.call(active).squeeze(1).MoveToOuterDisposeScope());
    }
}
