using Dreambooth.Lab.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Planning;

/// <summary>The weights that a run holds in each of its phases, by memory mode; counted.</summary>
/// <param name="model">The model.</param>
/// <param name="settings">The run.</param>
internal sealed class WeightsForecast(ModelArchitecture model, MemorySettings settings)
{
    private const string Transformer = "transformer";
    private const string Vae = "vae";
    private const string T5 = "text_encoder_3";

    /// <summary>What is there all the time until training begins.</summary>
    public IReadOnlyList<MemoryTerm> Resident() =>
        [.. Of(name => name == Transformer || (!settings.OnDemand && (settings.WithT5 || name != T5))), .. JudgeAllTheTime()];

    /// <summary>What is there while it trains: what is cached may be freed, CLIP encoders that are trained are needed.</summary>
    public IReadOnlyList<MemoryTerm> Training() => settings.OnDemand
        ? [.. Resident(), .. TrainedOnDemand()]
        : [.. Of(name => name switch { T5 => settings.WithT5 && !settings.FreeT5, Vae => !settings.FreeVae, _ => true }),
            .. JudgeAllTheTime()];

    /// <summary>What comes for encoding texts: both CLIP encoders, or one block of T5 (its table of tokens where that is larger).</summary>
    public IReadOnlyList<MemoryTerm> TextOnDemand()
    {
        if (!settings.OnDemand)
            return [];
        var clip = ClipOnDemand();
        if (!settings.WithT5 || model.T5 is not { } config)
            return clip;
        var numbers = Math.Max((long)config.VocabSize * config.DModel, model.Blocks(T5).Max());
        var block = new MemoryTerm(
            $"{T5} block", numbers * ComponentSize.ElementSize(settings.Dtype), true,
            $"one of {config.NumLayers}, read from the file: {numbers:N0} numbers in {settings.Dtype}");
        return clip.Sum(term => term.Bytes) >= block.Bytes ? clip : [block];
    }

    /// <summary>The CLIP encoders, where they come when they are needed.</summary>
    public IReadOnlyList<MemoryTerm> ClipOnDemand() => settings.OnDemand ? Of(name => name is "text_encoder" or "text_encoder_2") : [];

    /// <summary>The CLIP encoders, where they come and stay because they are trained.</summary>
    public IReadOnlyList<MemoryTerm> TrainedOnDemand() => settings.TrainTextEncoder ? ClipOnDemand() : [];

    /// <summary>The autoencoder, where it comes when it is needed.</summary>
    public IReadOnlyList<MemoryTerm> VaeOnDemand() => settings.OnDemand ? Of(name => name == Vae) : [];

    /// <summary>The encoders that score pictures, where they come for that.</summary>
    public IReadOnlyList<MemoryTerm> JudgeOnDemand() => settings.Judge is { OnGpu: true } judge ? judge.Weights : [];

    private IReadOnlyList<MemoryTerm> JudgeAllTheTime() => settings.Judge is { OnGpu: false } judge ? judge.Weights : [];

    private List<MemoryTerm> Of(Func<string, bool> keep) => [.. model.Components.Where(component => keep(component.Name)).Select(Term)];

    private MemoryTerm Term(ComponentSize component)
    {
        if (component.Name == Transformer && settings.StreamsBlocks)
        {
            var blocks = model.Blocks(Transformer);
            // Those that stay, one that computes and one that is being copied.
            var there = Math.Min(blocks.Count, settings.ResidentBlocks + 2);
            var numbers = component.Parameters - blocks.Sum() + blocks.OrderDescending().Take(there).Sum();
            var saved = Saved(settings.Dtype).Order().Take(there).Sum();
            return new(
                $"{Transformer} weights", (numbers * ComponentSize.ElementSize(settings.Dtype)) - saved, true,
                $"{there} of {blocks.Count} blocks and what is around them: {numbers:N0} numbers in {Types(component, settings.Dtype)}");
        }

        var dtype = component.Name == Vae
            ? settings.VaeDtype
            : component.Name == Transformer && settings.Training == TrainingKind.Full ? ScalarType.Float32 : settings.Dtype;
        var small = component.Name == Transformer ? Saved(dtype).Sum() : 0;
        return new(
            $"{component.Name} weights", component.BytesAs(dtype) - small, true,
            $"{component.Parameters:N0} numbers in {Types(component, dtype)}");
    }

    private string Types(ComponentSize component, ScalarType dtype) => dtype
        + (component.Name == Transformer && settings.Quantization == Quantization.Fp8 ? ", the blocks' products in fp8" : string.Empty);

    // What 8 bits save in each block; a scale of four bytes comes for each output.
    private IEnumerable<long> Saved(ScalarType dtype) => settings.Quantization == Quantization.None ? []
        : model.Quantizable().Select(block => (block.Weights * (ComponentSize.ElementSize(dtype) - 1)) - (block.Outputs * sizeof(float)));
}
