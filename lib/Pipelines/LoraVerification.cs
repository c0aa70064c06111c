using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tensors;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Pipelines;

/// <summary>
/// Writes a LoRA in every layout, loads each file back, and compares what the model computes with it: the transformer's output for fixed
/// inputs, and a picture.
/// </summary>
/// <param name="pipeline">The model, in Float32, without adapters.</param>
/// <param name="request">The picture.</param>
internal sealed class LoraVerification(StableDiffusion3Pipeline pipeline, GenerationRequest request)
{
    /// <summary>Below it outputs count as equal: what sums in another order make in Float32, relative to the largest value.</summary>
    public const double Tolerance = 2e-5;

    private const int Tokens = 16;

    /// <summary>Verifies a file.</summary>
    /// <param name="file">A file of any layout, or a folder that holds one.</param>
    /// <param name="folder">
    /// Gets the files: one for each layout, and <c>outputs.safetensors</c> with the inputs of the transformer and its outputs without the
    /// LoRA (<c>without</c>), with the file (<c>file</c>) and with each layout's.
    /// </param>
    /// <param name="onLayout">Receives each layout as it is done.</param>
    /// <returns>A result for each layout.</returns>
    /// <exception cref="LabException">The file cannot be read, or is not of this model.</exception>
    public IReadOnlyList<LoraLayoutCheck> Run(string file, string folder, Action<LoraLayoutCheck>? onLayout = null)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var contents = LoraContents.Read(file);
        var kept = Inputs();
        kept["without"] = Output(kept);
        var expected = With(file, () => (Output: Output(kept), Picture: pipeline.Generate(request)[0]));
        kept["file"] = expected.Output;
        var largest = expected.Output.abs().max().item<float>();
        var checks = new List<LoraLayoutCheck>();
        foreach (var layout in LoraExport.Layouts)
        {
            var path = Path.Combine(folder, layout == "peft" ? layout : $"{layout}.safetensors");
            LoraLayoutCheck check;
            try
            {
                var notes = LoraExport.Save(path, contents, layout);
                var (output, picture) = With(path, () => (Output(kept), pipeline.Generate(request)[0]));
                kept[layout] = output;
                check = new LoraLayoutCheck(layout)
                {
                    Output = output.sub(expected.Output).abs().max().item<float>() / largest,
                    Pixels = picture.Pixels.Zip(expected.Picture.Pixels).Max(pair => Math.Abs(pair.First - pair.Second)),
                    Notes = notes,
                };
            }
            catch (LabException error)
            {
                check = new LoraLayoutCheck(layout) { Refusal = error.Message };
            }

            checks.Add(check);
            onLayout?.Invoke(check);
        }

        SafetensorsWriter.Save(Path.Combine(folder, "outputs.safetensors"), kept);
        return checks;
    }

    private T With<T>(string path, Func<T> work)
    {
        pipeline.LoadLora(path);
        var adapter = pipeline.Adapters[^1];
        try
        {
            return work();
        }
        finally
        {
            pipeline.UnloadLora(adapter);
        }
    }

    private Dictionary<string, Tensor> Inputs()
    {
        var config = pipeline.Transformer.Config;
        var side = Math.Min(config.SampleSize, 16L);
        var device = pipeline.Options.Device;
        return new(StringComparer.Ordinal)
        {
            ["hidden_states"] = SeededNoise.Normal([1, config.InChannels, side, side], 1, device),
            ["encoder_hidden_states"] = SeededNoise.Normal([1, Tokens, config.JointAttentionDim], 2, device),
            ["pooled_projections"] = SeededNoise.Normal([1, config.PooledProjectionDim], 3, device),
            ["timestep"] = full([1], KeptScalar.Of(500), ScalarType.Float32, device),
        };
    }

    private Tensor Output(Dictionary<string, Tensor> inputs) => pipeline.Transformer.forward(
        inputs["hidden_states"], inputs["timestep"], inputs["encoder_hidden_states"], inputs["pooled_projections"]);
}
