using static TorchSharp.torch;

namespace Dreambooth.Lab.Peft;

/// <summary>A model that an adapter may change, with the prefix that its layers carry in LoRA files.</summary>
/// <param name="Prefix"><c>transformer</c>, <c>text_encoder</c> or <c>text_encoder_2</c>.</param>
/// <param name="Module">The model.</param>
public sealed record LoraComponent(string Prefix, nn.Module Module);
