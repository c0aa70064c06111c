using System.Security.Cryptography;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Sweeps;

namespace Dreambooth.Lab.Tests.Sweeps;

public sealed class GenerationOriginTests : IDisposable
{
    private readonly string _lora = Path.Combine(Directory.CreateTempSubdirectory("lab-origin-").FullName, "gmc cat.safetensors");

    public GenerationOriginTests() => File.WriteAllText(_lora, "what a LoRA holds does not matter here");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_lora)!, recursive: true);

    [Fact]
    public void RecordOf_ALora_HasItsScaleAndHash()
    {
        var origin = new GenerationOrigin(new PipelineOptions(), "org/model", [(new WeightedLora(_lora, 0.8), _lora)]);
        var record = origin.RecordOf(new GenerationRequest { Prompts = ["a cat"], GuidanceScale = 4.5 }, 7, 2, 0.5);
        Assert.Equal("model with gmc cat.safetensors", origin.Subject);
        Assert.Equal(origin.Subject, GenerationOrigin.SubjectOf(record.ToNote()));
        Assert.Equal((7UL, 2, 4.5, "model"), (record.Seed, record.Index, record.Guidance, record.Model));
        Assert.Equal([0.4], record.LoraScale);
        Assert.Equal([Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_lora)))], record.LoraSha256);
        Assert.Equal([new FileInfo(_lora).Length], record.LoraBytes);
    }
}
