using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>Computes the values of a stored tensor with the updates of LoRAs in it, in Float32, stored in its own element type.</summary>
/// <param name="updates">The updates by their layers, each with its LoRA's weight.</param>
internal sealed class MergedTensor(ILookup<string, (LoraContent Content, double Weight)> updates)
{
    /// <summary>Whether updates change a parameter.</summary>
    /// <param name="parameter">The parameter.</param>
    public bool Changes(ModelTensors.Parameter parameter) =>
        updates[parameter.Key].Any(update => !parameter.IsBias || update.Content[LoraParts.Bias] is not null);

    /// <summary>The new values.</summary>
    /// <param name="file">The file.</param>
    /// <param name="entry">The stored tensor.</param>
    /// <param name="parameters">What it holds.</param>
    /// <returns>A tensor of the same type and shape.</returns>
    /// <exception cref="LabException">It is stored in 8 bits, or of another size than an update.</exception>
    /// <exception cref="NonFiniteException">A sum is not finite in the element type.</exception>
    public Tensor Of(SafetensorsFile file, SafetensorsEntry entry, IEnumerable<ModelTensors.Parameter> parameters)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var values = file.Load(entry.Name).clone();
        foreach (var parameter in parameters.Where(Changes))
        {
            var rows = Rows(values, parameter.Part);
            var old = rows.to(ScalarType.Float32);
            if (parameter.Part == KeyPart.SwappedHalves)
                old = RowHalves.Swap(old);
            var changed = parameter.IsBias ? WithBiases(old, parameter.Key) : WithChanges(old, file, entry, parameter.Key);
            rows.copy_(parameter.Part == KeyPart.SwappedHalves ? RowHalves.Swap(changed) : changed);
        }

        FiniteCheck.Require(values, $"{file.Path}: {entry.Name} with the LoRA, in {entry.DType},");
        return values.MoveToOuterDisposeScope();
    }

    private static Tensor Rows(Tensor values, KeyPart part)
    {
        var third = values.shape[0] / 3;
        return part switch
        {
            KeyPart.FirstThird => values.narrow(0, 0, third),
            KeyPart.SecondThird => values.narrow(0, third, third),
            KeyPart.LastThird => values.narrow(0, 2 * third, third),
            _ => values,
        };
    }

    // As AdaptedLayer fuses updates, to the last bit.
    private Tensor WithChanges(Tensor old, SafetensorsFile file, SafetensorsEntry entry, string key)
    {
        var weight = old.reshape(old.shape[0], -1);
        Tensor? rows = null, sum = null;
        foreach (var (content, strength) in updates[key])
        {
            var (height, width) = content.Size;
            if ((height, width) != (weight.shape[0], weight.shape[1]))
            {
                throw new LabException(
                    $"{key} is {width} → {height} in the LoRA and {weight.shape[1]} → {weight.shape[0]} in {file.Path} ({entry}): the "
                    + "LoRA was made for another model.");
            }

            var scale = content.Factor * strength;
            var update = content.Parts.Build("merged", content.Tensors, content.Rank, scale);
            using var factor = KeptScalar.Once(scale);
            var term = update.Change().mul(factor);
            if (update.RowFactors(weight, scale) is { } own)
            {
                term = term.mul(own);
                rows = rows is null ? own : rows.add(own, KeptScalar.One).sub(KeptScalar.One);
            }

            sum = sum is null ? term : sum.add(term, KeptScalar.One);
        }

        return (rows is null ? weight : weight.mul(rows)).add(sum!, KeptScalar.One).reshape(old.shape);
    }

    private Tensor WithBiases(Tensor old, string key)
    {
        foreach (var (content, strength) in updates[key].Where(update => update.Content[LoraParts.Bias] is not null))
        {
            using var factor = KeptScalar.Once(content.Factor * strength);
            old = old.add(content[LoraParts.Bias]!.to(ScalarType.Float32).mul(factor), KeptScalar.One);
        }

        return old;
    }
}
