using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using static System.FormattableString;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Records on the device whether each intermediate result of a generation is finite: only <see cref="Require"/> waits for it, once, before
/// the picture itself is read. The models' weights need no check of their own: their first use shows a fault.
/// </summary>
internal sealed class FiniteTrace : IDisposable
{
    // Far above any value of a working model.
    private const double Sane = 100;

    private readonly List<(string What, (string Name, nn.Module? Model)[] Makers, Tensor Largest)> _results = [];

    /// <summary>Adds a result.</summary>
    /// <param name="what">What it is, the beginning of a sentence.</param>
    /// <param name="values">The result.</param>
    /// <param name="makers">The models that made it, with the names of their folders.</param>
    public void Add(string what, Tensor values, params (string Name, nn.Module? Model)[] makers) =>
        _results.Add((what, makers, FiniteCheck.Largest(values).DetachFromDisposeScope()));

    /// <summary>Adds a text's embeddings.</summary>
    /// <param name="what">What they are, the beginning of a sentence.</param>
    /// <param name="embeds">The tokens'.</param>
    /// <param name="pooled">The pooled ones, where there are any.</param>
    /// <param name="encoder">What made them.</param>
    public void AddText(string what, Tensor embeds, Tensor? pooled, PromptEncoder encoder)
    {
        (string, nn.Module?)[] makers = [("text_encoder", encoder.Clip), ("text_encoder_2", encoder.Clip2), ("text_encoder_3", encoder.T5)];
        Add(what, embeds, makers);
        if (pooled is not null)
            Add(what, pooled, makers);
    }

    /// <summary>Throws for the first result that is not finite.</summary>
    /// <param name="otherCauses">What else may be the cause, where the models' weights are finite.</param>
    /// <exception cref="NonFiniteException">Names the result and the likely cause.</exception>
    public void Require(Func<string> otherCauses)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var largest = stack([.. _results.Select(result => result.Largest)]).cpu().data<float>().ToArray();
        if (Array.FindIndex(largest, value => !float.IsFinite(value)) is not (>= 0 and var first))
            return;
        var (what, makers, _) = _results[first];
        var weights =
            from maker in makers
            where maker.Model is not null
            from name in FiniteCheck.Faults(maker.Model!)
            select $"{maker.Name}: {name}";
        var cause = weights.FirstOrDefault() is { } weight
            ? $"the model is damaged, its weights in {weight} are not finite"
            : otherCauses();
        throw new NonFiniteException($"{what} are not finite: {cause}.");
    }

    /// <summary>Extreme values in a request and its adapters.</summary>
    /// <param name="request">The request.</param>
    /// <param name="adapters">The adapters.</param>
    /// <param name="dtype">Element type of the computation.</param>
    public static string Suspects(GenerationRequest request, IEnumerable<LoraAdapter> adapters, ScalarType dtype)
    {
        List<string> suspects =
        [
            .. from adapter in adapters
               where !(Math.Abs(adapter.Weight) < Sane)
               select Invariant($"the LoRA '{adapter.Name}' has the weight {adapter.Weight}; 1 is as trained"),
        ];
        if (request.GuidanceScale >= Sane)
            suspects.Add(Invariant($"the guidance scale is {request.GuidanceScale}; 3 to 10 is usual"));
        if (request.SkipGuidanceLayers is { Count: > 0 } && Math.Abs(request.SkipLayerGuidanceScale) >= Sane)
            suspects.Add(Invariant($"the scale of skip-layer guidance is {request.SkipLayerGuidanceScale}; 2.8 is usual"));
        if (dtype == ScalarType.Float16)
            suspects.Add("float16 holds no more than 65504, compute in bf16 or fp32");
        return suspects.Count > 0 ? string.Join(", and ", suspects) : "the weights in memory are finite, but what they compute is not";
    }

    /// <summary>Frees the figures.</summary>
    public void Dispose()
    {
        foreach (var (_, _, largest) in _results)
            largest.Dispose();
    }
}
