using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>
/// Layers one after the other. Letters: B pictures, S tokens, D width. A layer is a function of <c>[B, S, D]</c> and of how many of the
/// first tokens are needed after it.
/// </summary>
internal static class LayerStack
{
    /// <summary>
    /// Runs the layers, with the tokens of one layer in memory unless all are asked for. A picture's vector is made of its class token, the
    /// first: unless all are asked for, the last layer computes that one alone, of 12 layers a fifteenth of the work less.
    /// </summary>
    /// <param name="tokens"><c>[B, S, D]</c>; taken over.</param>
    /// <param name="layers">The layers, at least one.</param>
    /// <param name="keepAll">Whether all tokens before and after every layer are kept.</param>
    /// <returns>
    /// The last tokens, <c>[B, S, D]</c> or <c>[B, 1, D]</c>; and, when asked for, those before the first and after each layer, the last
    /// among them.
    /// </returns>
    public static (Tensor Last, IReadOnlyList<Tensor> All) Run(
        Tensor tokens, IReadOnlyList<Func<Tensor, long, Tensor>> layers, bool keepAll)
    {
        var all = new List<Tensor>();
        for (var i = 0; i < layers.Count; i++)
        {
            var next = layers[i](tokens, keepAll || i + 1 < layers.Count ? tokens.shape[1] : 1);
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
