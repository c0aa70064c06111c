using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraMetadataTests : IDisposable
{
    private const string Layer = WrittenLora.Layer, OtherLayer = WrittenLora.OtherLayer;

    private readonly WrittenLora _lora = new();

    public void Dispose() => _lora.Dispose();

    [Theory]
    [InlineData("use_qalora", "true", "another kind of LoRA (use_qalora)")]
    [InlineData("use_bdlora", "{\"nblocks\": 2}", "another kind of LoRA (use_bdlora)")]
    [InlineData("peft_type", "\"VERA\"", "this is no LoRA but VERA (peft_type)")]
    [InlineData("init_lora_weights", "\"pissa_niter_4\"", "init_lora_weights is pissa_niter_4, which changes the model's own weights")]
    public void Load_KindOfPeftThatIsNotKnown_IsRefusedByName(string key, string value, string message)
    {
        _lora.Refused(message, _lora.WritePeft($$"""{"lora_alpha": 4, "{{key}}": {{value}}}""", _lora.Pair(Layer)));
        _lora.Refused(
            message.Replace($"({key})", $"(transformer.{key})", StringComparison.Ordinal),
            _lora.WriteWith($$"""{"transformer.lora_alpha": 4, "transformer.{{key}}": {{value}}}""", _lora.Pair(Layer)));
    }

    [Theory]
    [InlineData("0", "1 of 1 layers have an alpha of 0 and have no effect: transformer." + Layer + ".")]
    [InlineData("-4", "1 of 1 layers have an alpha below 0 and do the opposite of what was trained: transformer." + Layer + ".")]
    public void Load_AlphaNotAboveZero_IsWarnedOf(string alpha, string warning)
    {
        var path = _lora.WriteWith($$"""{"transformer.lora_alpha": {{alpha}}}""", _lora.Pair(Layer));
        Assert.Equal([$"{path}: {warning}"], _lora.Load(path).Warnings);
    }

    [Fact]
    public void Load_AlphaBeyondFloat32_IsRefused() => _lora.Refused(
        $"the alpha of transformer.{Layer} is 1E+308, beyond float32; the rank (2) is usual.",
        _lora.WriteWith("""{"transformer.lora_alpha": 1e308}""", _lora.Pair(Layer)));

    [Fact]
    public void Load_MetadataAsPeftWritesIt_IsTaken()
    {
        var report = _lora.Load(_lora.WritePeft(
            """
            {"peft_type": "LORA", "r": 2, "lora_alpha": 16, "use_rslora": false, "use_dora": false, "use_bdlora": null, "bias": "none",
             "lora_bias": false, "init_lora_weights": true, "fan_in_fan_out": false, "modules_to_save": null,
             "alpha_pattern": {}, "rank_pattern": {}}
            """,
            _lora.Pair(Layer)));
        Assert.Empty(report.Warnings);
        Assert.Equal(8, _lora.Scales()[Layer]);
    }

    [Theory]
    [InlineData("""{"attn\\.to_q": 8, "to_q": 2}""", 4, 1)]
    [InlineData("""{"to_q": 2, "attn\\.to_q": 8}""", 1, 1)]
    [InlineData("""{"transformer_blocks\\.[01]\\.attn\\.to_(q|k)": 6}""", 3, 3)]
    [InlineData("""{"to_q|to_k": 6}""", 3, 3)]
    [InlineData("""{"o_q": 8, "to_k": 4}""", 1, 2)]
    [InlineData("""{"^transformer_blocks.0.*": 8}""", 4, 1)]
    [InlineData("""{"transformer_blocks.0": 8, "to_q": 4}""", 2, 1)]
    public void Load_AlphaPattern_IsARegularExpressionAtTheEndAndTheFirstCounts(string pattern, double ofQ, double ofK)
    {
        (string, Tensor)[] tensors = [.. _lora.Pair(Layer), .. _lora.Pair(OtherLayer)];
        foreach (var path in new[]
        {
            _lora.WriteWith($$"""{"transformer.lora_alpha": 2, "transformer.alpha_pattern": {{pattern}}}""", tensors),
            _lora.WritePeft($$"""{"lora_alpha": 2, "alpha_pattern": {{pattern}}}""", tensors),
        })
        {
            _lora.Load(path);
            Assert.Equal((ofQ, ofK), (_lora.Scales()[Layer], _lora.Scales()[OtherLayer]));
        }
    }

    [Fact]
    public void Load_PatternsThatMatchNothing_AreWarnedOf()
    {
        var report = _lora.Load(_lora.WriteWith(
            """
            {"transformer.lora_alpha": 2, "transformer.alpha_pattern": {"attn.to_v": 4, "to_q": 4}, "transformer.rank_pattern": {"ff.*": 8}}
            """,
            _lora.Pair(Layer)));
        Assert.Equal(2, report.Warnings.Count);
        Assert.Contains(
            "alpha_pattern has 'attn.to_v', which matches none of the file's layers",
            report.Warnings[0], StringComparison.Ordinal);
        Assert.Contains("rank_pattern has 'ff.*', which matches none of the file's layers", report.Warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Load_HeaderOfNoModel_WarnsThatAlphaIsTheRank()
    {
        var report = _lora.Load(_lora.WriteWith("""{"lora_alpha": 16}""", _lora.Pair(Layer)));
        Assert.EndsWith(
            "says nothing of transformer: alpha is taken for the rank there.", Assert.Single(report.Warnings), StringComparison.Ordinal);
        Assert.Equal(1, _lora.Scales()[Layer]);
    }

    [Theory]
    [InlineData("""{"transformer.alpha_pattern": {"a": 1, "a": 2}}""", "appears twice")]
    [InlineData("""{"transformer.alpha_pattern": [1]}""", "transformer.alpha_pattern is [1]; valid is a JSON object")]
    [InlineData("""{"transformer.alpha_pattern": {"to_q": null}}""", "transformer.alpha_pattern.to_q is null; valid is a finite number")]
    [InlineData("""{"transformer.alpha_pattern": {"to_q(": 1}}""", "has the key 'to_q(', which is no regular expression")]
    [InlineData("""{"transformer.rank_pattern": {"to_q": "four"}}""", "valid is a finite number")]
    [InlineData("""{"transformer.lora_alpha": 1e999}""", "valid is a finite number")]
    [InlineData("""{"transformer.alpha_pattern": {"(.*.*)*.*.*.*.*=": 1}}""", "takes more than a second to match")]
    public void Load_MetadataOfWrongTypes_IsRefused(string header, string message) =>
        _lora.Refused(message, _lora.WriteWith(header, _lora.Pair(Layer)));

    [Fact]
    public void Load_FirstDamagedInputOfTheFuzzer_IsRefused()
    {
        var input = Path.Combine(
            Golden.GoldenSet.RepositoryRoot, "..", "shared", "cases", "fuzz",
            "loraload-ArgumentException_Peft_LoraFile_c__DisplayClass13_0_Alphas_b__1", "input.bin");
        if (!File.Exists(input))
            return;
        var path = _lora.Write(_lora.Pair(Layer));
        File.Copy(input, path, overwrite: true);
        Assert.ThrowsAny<Dreambooth.Lab.Foundation.LabException>(() => _lora.Load(path));
    }
}
