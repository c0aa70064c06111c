using System.Security.Cryptography;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class GenerationOriginTests : IDisposable
{
    private readonly string _lora = Path.Combine(Directory.CreateTempSubdirectory("lab-origin-").FullName, "gmc cat.safetensors");

    public GenerationOriginTests() => File.WriteAllText(_lora, "what a LoRA holds does not matter here");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_lora)!, recursive: true);

    [Fact]
    public void ParametersOf_ALora_IsTheTextThatCivitaiReads()
    {
        var config = Config with { Guidance = 4.5, LoraScale = 0.5, NegativePrompt = "blurred", NumImages = 4 };
        var origin = new GenerationOrigin(config, "fp32", "org/model", [(new WeightedLora(_lora, 0.8), _lora)]);
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_lora)))[..10];
        Assert.Equal(
            "a photo of gmc cat <lora:gmc cat:0.4>\nNegative prompt: blurred\nSteps: 28, Sampler: Euler, CFG scale: 4.5, Seed: 7, "
            + $"Size: 640x512, Model: model, Batch size: 4, Batch pos: 2, Lora hashes: \"gmc cat: {hash}\"",
            origin.ParametersOf("a photo of gmc cat", 7, 2, 640, 512));
    }

    [Fact]
    public void ParametersOf_NoLora_HasNoHashes() => Assert.Equal(
        "a cat\nSteps: 28, Sampler: Euler, CFG scale: 7, Seed: 0, Size: 64x64, Model: model",
        new GenerationOrigin(Config with { Guidance = 7 }, "fp32", "org/model", []).ParametersOf("a cat", 0, 0, 64, 64));

    private static GenerateConfig Config => new() { PretrainedModelNameOrPath = "org/model", NumSteps = 28 };
}
