using static TorchSharp.torch;

namespace Dreambooth.Lab.Models.ImageEncoders;

/// <summary>What an image encoder gives. Letters: B pictures, S tokens, D width, E width of the embedding.</summary>
/// <param name="Embedding">One vector a picture, <c>[B, E]</c>, not normalised.</param>
/// <param name="LastHiddenState">
/// Tokens after the last layer, in CLIP before the final norm, in the others after it: <c>[B, S, D]</c> where hidden states are asked for,
/// else the class token alone, <c>[B, 1, D]</c>.
/// </param>
/// <param name="HiddenStates">Tokens before the first and after each layer, <c>[B, S, D]</c>; empty unless asked for.</param>
internal sealed record ImageEncoderOutput(Tensor Embedding, Tensor LastHiddenState, IReadOnlyList<Tensor> HiddenStates);
