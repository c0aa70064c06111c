using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.TextEncoders;

/// <summary>What a CLIP text encoder gives. Letters: B rows, S tokens, D width, P projected width.</summary>
/// <param name="TextEmbeds">The text pooled at its end token and projected, <c>[B, P]</c>.</param>
/// <param name="LastHiddenState">Tokens after the last layer and the final norm, <c>[B, S, D]</c>.</param>
/// <param name="HiddenStates">
/// The embeddings, then the tokens after each layer, before the final norm, each <c>[B, S, D]</c>; empty unless asked for.
/// </param>
public sealed record CLIPTextModelOutput(Tensor TextEmbeds, Tensor LastHiddenState, IReadOnlyList<Tensor> HiddenStates);
