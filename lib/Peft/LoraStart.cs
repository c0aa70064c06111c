using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>A trainable adapter that begins as a LoRA's file has it, with the file's ranks and alphas.</summary>
internal static class LoraStart
{
    /// <summary>Creates it on the models that the file names, and a new LoRA on others.</summary>
    /// <param name="path">A file of any layout, or a folder that holds one.</param>
    /// <param name="name">The adapter's name.</param>
    /// <param name="trained">The models that are trained, each with what it gets where the file does not name it.</param>
    /// <param name="seed">Seed of what is new.</param>
    /// <param name="device">Where the matrices go.</param>
    /// <returns>The adapter, of float32, and how the file fitted.</returns>
    /// <exception cref="LabException">The file does not fit the models.</exception>
    public static (LoraAdapter Adapter, LoraLoadReport Report) Create(
        string path, string name, IReadOnlyList<(LoraComponent Component, LoraConfig Config)> trained, ulong seed, Device device)
    {
        var file = LoraFile.Resolve(path);
        using var checkpoint = Checkpoint.Open(file);
        var (slots, readers, report) = Fit(checkpoint, file, trained);
        var adapter = LoraAdapter.Allocate(name, slots, device, ScalarType.Float32, trainable: true);
        try
        {
            adapter.Start(layer => !readers.ContainsKey(layer.Key), seed);
            LoraFile.Fill(adapter, readers, file);
        }
        catch
        {
            adapter.Dispose();
            throw;
        }

        return (adapter, report);
    }

    /// <summary>Checks that the file fits the models.</summary>
    /// <exception cref="LabException">It does not.</exception>
    public static void Check(string path, IReadOnlyList<(LoraComponent Component, LoraConfig Config)> trained)
    {
        var file = LoraFile.Resolve(path);
        using var checkpoint = Checkpoint.Open(file);
        _ = Fit(checkpoint, file, trained);
    }

    // In the models' order, whatever comes from the file: a checkpoint has everything, and its optimizer's state one order.
    private static (IReadOnlyList<LoraAdapter.Slot> Slots, Dictionary<string, LoraLayerReader> Readers, LoraLoadReport Report) Fit(
        Checkpoint checkpoint, string file, IReadOnlyList<(LoraComponent Component, LoraConfig Config)> trained)
    {
        var (slots, readers, report) = LoraFile.Fit(checkpoint, file, [.. trained.Select(model => model.Component)]);
        var added = LoraMatch.Slots(trained.Where(model => slots.All(slot => slot.Component != model.Component.Prefix)));
        string[] order = [.. trained.SelectMany(model => model.Component.Module.named_modules().Select(
            entry => $"{model.Component.Prefix}.{entry.name}"))];
        var places = order.Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        var dropout = trained.ToDictionary(model => model.Component.Prefix, model => model.Config.LoraDropout);
        var all = slots.Concat(added).OrderBy(slot => places[$"{slot.Component}.{slot.Path}"])
            .Select(slot => slot with { Dropout = dropout[slot.Component] }).ToList();
        return (all, readers, report);
    }
}
