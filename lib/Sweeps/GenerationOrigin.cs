using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Pipelines;

namespace Dreambooth.Lab.Sweeps;

/// <summary>How the pictures of a <c>generate</c> run are generated, stored in each file.</summary>
internal sealed class GenerationOrigin
{
    private readonly ModelOrigin _model;
    private readonly PipelineOptions _options;
    private readonly (UsedLora Lora, double Scale)[] _loras;

    /// <summary>Reads what decides the pictures.</summary>
    /// <param name="options">Where and how the model is loaded.</param>
    /// <param name="model">The model's folder or file.</param>
    /// <param name="loras">The LoRA, with the folder or file of each.</param>
    /// <exception cref="LabException">The model or a LoRA cannot be read.</exception>
    public GenerationOrigin(
        PipelineOptions options, string model, IReadOnlyList<(WeightedLora Lora, string Path)> loras)
    {
        _options = options;
        _model = ModelOrigin.Of(model, options);
        _loras = [.. loras.Select(lora => (UsedLora.Of(lora.Path), lora.Lora.Weight))];
        Subject = SubjectOf(_model.Name, [.. _loras.Select(lora => lora.Lora.Name)]);
    }

    /// <summary>The model and the LoRA, for messages.</summary>
    public string Subject { get; }

    /// <summary>What a picture's file keeps, without its place in a batch.</summary>
    /// <param name="request">What is generated.</param>
    /// <param name="seed">The seed of its prompt's noise.</param>
    /// <param name="index">Its place among the pictures of that noise, from 0.</param>
    /// <param name="loraScale">The factor on all LoRA.</param>
    public PictureRecord RecordOf(GenerationRequest request, ulong seed, int index, double loraScale) =>
        PictureRecord.Of(request, _model, _options, [.. _loras.Select(lora => (lora.Lora, lora.Scale * loraScale))]) with
        {
            Seed = seed,
            Index = index,
        };

    /// <summary>The model and the LoRA of an existing picture.</summary>
    /// <param name="note">What its file keeps, or null.</param>
    /// <returns>Null where that is no note of a <c>generate</c>.</returns>
    public static string? SubjectOf(string? note)
    {
        if (note is null)
            return null;
        try
        {
            var settings = JsonField.Parse(note, "the note");
            return SubjectOf(settings.Get("model").Text(), [.. settings.Get("lora").Items().Select(lora => lora.Text())]);
        }
        catch (LabException)
        {
            return null;
        }
    }

    private static string SubjectOf(string model, string[] loras) =>
        $"{model} {(loras.Length == 0 ? "without LoRA" : $"with {string.Join(" and ", loras)}")}";
}
