using System.Text.RegularExpressions;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Training;

/// <summary>Adapters that begin with golden matrices.</summary>
internal static partial class GoldenLora
{
    public static LoraAdapter Create(GoldenTensors file, string prefix, IReadOnlyList<LoraComponent> components)
    {
        var names = file.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
        var parts = components.Select(component =>
        {
            var own = names.Where(
                name => name.StartsWith($"{prefix}{component.Prefix}.", StringComparison.Ordinal)
                    && name.EndsWith("lora_A.weight", StringComparison.Ordinal)).ToArray();
            var targets = own.Select(name => LoraKey.Match(name[(prefix.Length + component.Prefix.Length + 1)..]).Groups["path"].Value)
                .ToArray();
            return (component, new LoraConfig { Rank = (int)file[own[0]].shape[0], TargetModules = targets });
        });
        var adapter = LoraAdapter.Create("golden", parts, 0, TestDevice.Device, ScalarType.Float32);
        Assert.Equal(names.Length, 2 * adapter.Layers.Count);
        using var noGradients = no_grad();
        foreach (var layer in adapter.Layers)
        {
            layer.Weights.A.copy_(file[$"{prefix}{layer.Key}.lora_A.weight"].Here());
            layer.Weights.B.copy_(file[$"{prefix}{layer.Key}.lora_B.weight"].Here());
        }

        return adapter;
    }

    [GeneratedRegex(@"^(?<path>.+)\.lora_A\.weight$")]
    private static partial Regex LoraKey { get; }
}
