using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>Layers one after the other. Letters: B pictures, S tokens, D width.</summary>
internal static class LayerStack
{
    /// <summary>Runs the layers, with the tokens of one layer in memory unless all are asked for.</summary>
    /// <param name="tokens"><c>[B, S, D]</c>; taken over.</param>
    /// <param name="layers">The layers.</param>
    /// <param name="keepAll">Whether the tokens before and between the layers are kept.</param>
    /// <returns>The last tokens; and, when asked for, those before the first and after each layer, the last among them.</returns>
    public static (Tensor Last, IReadOnlyList<Tensor> All) Run(
        Tensor tokens, IEnumerable<nn.Module<Tensor, Tensor>> layers, bool keepAll)
    {
        var all = new List<Tensor>();
        foreach (var layer in layers)
        {
            var next = layer.call(tokens);
            if (keepAll)
                all.Add(tokens);
            else
                tokens.Dispose();
            tokens = next;
        }

        if (keepAll)
            all.Add(tokens.alias());
        return (tokens, all);
    }
}
