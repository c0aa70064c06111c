using System.Text.Json;
using Dreambooth.Lab.Tests.Golden;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Pipelines;

[Trait("Category", "Parity")]
public sealed class PromptEncoderTests
{
    private const double Tolerance = 2e-5;

    public static TheoryData<GoldenCase> Runs => GoldenSet.KeyCases("text_encoders", @"^(?<case>encode_prompt\.\w+)\.prompt_embeds$");

    [Theory]
    [MemberData(nameof(Runs))]
    public void Encode_GoldenPrompts_EqualsTheReference(GoldenCase golden)
    {
        golden.Require();
        var pipeline = PipelineFixture.Shared(golden, withT5: !golden.Key!.Contains("no_t5", StringComparison.Ordinal));
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var args = golden.Entry.Meta!.Value.GetProperty("encode_prompt").GetProperty(golden.Key!["encode_prompt.".Length..]);
        var prompts = Strings(args, "prompt")!;
        int? length = Number(args, "max_sequence_length"), images = Number(args, "num_images_per_prompt");

        var positive = pipeline.Prompts.Encode(
            prompts, length, Number(args, "clip_skip"), Strings(args, "prompt_2"), Strings(args, "prompt_3")).RepeatEach(images ?? 1);
        GoldenAssert.Close(golden.Load("prompt_embeds"), positive.PromptEmbeds, Tolerance, "prompt_embeds");
        GoldenAssert.Close(golden.Load("pooled_prompt_embeds"), positive.PooledPromptEmbeds, Tolerance, "pooled_prompt_embeds");
        if (!golden.Has("negative_prompt_embeds"))
            return;
        var negative = pipeline.Prompts.Encode(Strings(args, "negative_prompt") ?? [.. prompts.Select(_ => string.Empty)], length)
            .RepeatEach(images ?? 1);
        GoldenAssert.Close(golden.Load("negative_prompt_embeds"), negative.PromptEmbeds, Tolerance, "negative_prompt_embeds");
        GoldenAssert.Close(
            golden.Load("negative_pooled_prompt_embeds"), negative.PooledPromptEmbeds, Tolerance, "negative_pooled_prompt_embeds");
    }

    private static int? Number(JsonElement args, string name) =>
        args.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;

    private static IReadOnlyList<string>? Strings(JsonElement args, string name) =>
        !args.TryGetProperty(name, out var value) ? null : value.ValueKind switch
        {
            JsonValueKind.String => [value.GetString()!],
            JsonValueKind.Array => [.. value.EnumerateArray().Select(item => item.GetString()!)],
            _ => null,
        };
}
