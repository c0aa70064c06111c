using Dreambooth.Lab.Foundation;
using Dreambooth.Lab.Peft;
using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

/// <summary>Settings of a file that say something else than its tensors.</summary>
public sealed class LoraContradictionsTests : IDisposable
{
    private readonly WrittenLora _lora = new();

    public void Dispose() => _lora.Dispose();

    [Theory]
    [InlineData("\"r\": 3", "r or its pattern says rank 3 for transformer.transformer_blocks.0.attn.to_q, whose tensors have rank 2")]
    [InlineData("\"r\": 2, \"rank_pattern\": {\"to_q\": 5}", "says rank 5 for transformer.transformer_blocks.0.attn.to_q")]
    [InlineData("\"r\": 2, \"use_dora\": true", "use_dora is true, and the file has no magnitudes: it acts as plain LoRA.")]
    [InlineData("\"r\": 2, \"peft_type\": \"LOHA\"", "peft_type is LOHA, and the tensors are those of LORA: they count.")]
    [InlineData("\"r\": 2, \"fan_in_fan_out\": true", "fan_in_fan_out is true, which these models' layers are not")]
    [InlineData("\"r\": 2, \"modules_to_save\": [\"proj_out\"]", "modules_to_save names whole modules that were trained")]
    public void Load_SettingsThatContradictTheTensors_AreToldAndTheTensorsCount(string settings, string warning)
    {
        var report = _lora.Load(_lora.WritePeft($"{{\"lora_alpha\": 2, {settings}}}", _lora.Pair(WrittenLora.Layer)));
        Assert.Contains(warning, Assert.Single(report.Warnings), StringComparison.Ordinal);
        Assert.Equal(2, _lora.Pipeline.Adapters[0].Layers[0].Rank);
    }

    [Fact]
    public void Load_MagnitudesOfZero_AreWarnedOf()
    {
        var file = _lora.WriteWith(
            """{"transformer.r": 2, "transformer.lora_alpha": 2, "transformer.use_dora": false}""",
            [.. _lora.Pair(WrittenLora.Layer), ($"transformer.{WrittenLora.Layer}.lora_magnitude_vector", zeros(_lora.Width))]);
        var warnings = _lora.Load(file).Warnings;
        Assert.Contains(warnings, warning => warning.Contains(
            $"all magnitudes of transformer.{WrittenLora.Layer} are 0", StringComparison.Ordinal));
        Assert.Contains(warnings, warning => warning.EndsWith(
            "transformer.use_dora is false, and the file has magnitudes: it acts as DoRA.", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_AlphaBeyondFloat32_IsRefusedByInspectAndConvertToo()
    {
        var file = _lora.WriteWith("""{"transformer.r": 2, "transformer.lora_alpha": 1e60}""", _lora.Pair(WrittenLora.Layer));
        const string Message = $"the alpha of transformer.{WrittenLora.Layer} is 1E+60, beyond float32; the rank (2) is usual.";
        Assert.Contains(Message, Assert.Throws<NonFiniteException>(() => LoraInspection.Read(file)).Message, StringComparison.Ordinal);
        Assert.Contains(Message, Assert.Throws<NonFiniteException>(() => LoraContents.Read(file)).Message, StringComparison.Ordinal);
    }
}
