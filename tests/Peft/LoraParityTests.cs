using System.Text.Json;
using Dreambooth.Lab.Peft;
using Dreambooth.Lab.Pipelines;
using Dreambooth.Lab.Tensors;
using Dreambooth.Lab.Tests.Golden;
using Dreambooth.Lab.Tests.Pipelines;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

[Trait("Category", "Parity")]
public sealed class LoraParityTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<GoldenCase> Outputs => GoldenSet.Cases("lora", file => file.Has("transformer.scale1"));

    [Theory]
    [MemberData(nameof(Outputs))]
    public void Load_ReferenceFile_GivesTheReferenceOutputs(GoldenCase golden)
    {
        using var pipeline = PipelineFixture.Load(golden);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        GoldenAssert.Close(golden.Load("transformer.no_lora"), Forward(pipeline, golden), Tolerance, "no LoRA");
        var report = pipeline.LoadLora(LoraFolder(golden));
        Assert.Equal(report.FileTensors, report.MatchedTensors);
        Assert.Empty(report.UnmatchedKeys);
        foreach (var scale in Scales(golden, "transformer.scale"))
            CompareAt(pipeline, golden, scale);
        CompareFused(pipeline, golden);
        if (golden.Has("header_ignored.transformer.scale1"))
            CompareWithoutHeader(pipeline, golden);
        pipeline.UnloadLora(pipeline.Adapters[0]);
        GoldenAssert.Close(golden.Load("transformer.no_lora"), Forward(pipeline, golden), Tolerance, "unloaded");
    }

    private static void CompareAt(StableDiffusion3Pipeline pipeline, GoldenCase golden, string scale)
    {
        pipeline.Adapters[0].Weight = double.Parse(scale, System.Globalization.CultureInfo.InvariantCulture);
        GoldenAssert.Close(golden.Load($"transformer.scale{scale}"), Forward(pipeline, golden), Tolerance, $"transformer at {scale}");
        if (!golden.Has($"encode_prompt.scale{scale}.prompt_embeds"))
            return;
        using var prompts = JsonDocument.Parse(File.ReadAllBytes(GoldenSet.PathOf("lora", "prompts.json")));
        string[] texts = [.. prompts.RootElement.GetProperty("prompts").EnumerateArray().Take(2).Select(prompt => prompt.GetString()!)];
        var negative = prompts.RootElement.GetProperty("negative").GetString()!;
        Compare(golden, $"encode_prompt.scale{scale}.", pipeline.Prompts.Encode(texts, 77));
        Compare(golden, $"encode_prompt.scale{scale}.negative_", pipeline.Prompts.Encode([negative, negative], 77));
    }

    private static void Compare(GoldenCase golden, string prefix, PromptEmbeddings actual)
    {
        GoldenAssert.Close(golden.Load($"{prefix}prompt_embeds"), actual.PromptEmbeds, Tolerance, $"{prefix}prompt_embeds");
        GoldenAssert.Close(
            golden.Load($"{prefix}pooled_prompt_embeds"), actual.PooledPromptEmbeds, Tolerance, $"{prefix}pooled_prompt_embeds");
    }

    private static void CompareFused(StableDiffusion3Pipeline pipeline, GoldenCase golden)
    {
        pipeline.Adapters[0].Weight = 1;
        pipeline.Adapters[0].Fuse();
        GoldenAssert.Close(golden.Load("transformer.scale1"), Forward(pipeline, golden), Tolerance, "fused");
        pipeline.Adapters[0].Unfuse();
        GoldenAssert.Close(golden.Load("transformer.scale1"), Forward(pipeline, golden), Tolerance, "unfused");
    }

    private static void CompareWithoutHeader(StableDiffusion3Pipeline pipeline, GoldenCase golden)
    {
        var stripped = Path.Combine(Directory.CreateTempSubdirectory("lab-lora-").FullName, LoraFile.DefaultName);
        using (var original = Checkpoint.OpenFolder(LoraFolder(golden), "pytorch_lora_weights"))
            SafetensorsWriter.Save(stripped, original.Names.Select(name => new KeyValuePair<string, Tensor>(name, original.Load(name))));
        pipeline.UnloadLora(pipeline.Adapters[0]);
        pipeline.LoadLora(stripped);
        foreach (var scale in Scales(golden, "header_ignored.transformer.scale"))
        {
            pipeline.Adapters[0].Weight = double.Parse(scale, System.Globalization.CultureInfo.InvariantCulture);
            GoldenAssert.Close(
                golden.Load($"header_ignored.transformer.scale{scale}"), Forward(pipeline, golden), Tolerance, $"no header, {scale}");
        }

        Directory.Delete(Path.GetDirectoryName(stripped)!, recursive: true);
    }

    private static IEnumerable<string> Scales(GoldenCase golden, string prefix) =>
        golden.Entry.Keys.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)).Select(key => key[prefix.Length..]);

    private static string LoraFolder(GoldenCase golden) =>
        GoldenSet.PathOf("lora", Path.GetFileNameWithoutExtension(golden.File).Replace('.', '/'));

    private static Tensor Forward(StableDiffusion3Pipeline pipeline, GoldenCase golden) => pipeline.Transformer.forward(
        golden.Load("hidden_states").Here(), golden.Load("timestep").Here(), golden.Load("encoder_hidden_states").Here(),
        golden.Load("pooled_projections").Here());
}
