using static TorchSharp.torch;

namespace Dreambooth.Lab.Tests.Peft;

public sealed class LoraKeysTests : IDisposable
{
    private const string Layer = WrittenLora.Layer, OtherLayer = WrittenLora.OtherLayer;

    private readonly WrittenLora _lora = new();

    public void Dispose() => _lora.Dispose();

    [Theory]
    [InlineData("lora.down", "lora.up")]
    [InlineData("lora_down", "lora_up")]
    [InlineData("lora_A", "lora_B")]
    public void Load_AlphaBesideTheMatrices_IsAppliedToItsLayerAndCounted(string down, string up)
    {
        var report = _lora.Load(_lora.Write(
        [
            ($"transformer.{Layer}.{down}.weight", ones(4, _lora.Width)), ($"transformer.{Layer}.{up}.weight", ones(_lora.Width, 4)),
            ($"transformer.{Layer}.alpha", tensor(1f)), .. _lora.Pair(OtherLayer, 4),
        ]));
        Assert.Equal((5, 5), (report.FileTensors, report.MatchedTensors));
        Assert.Equal(0.25, _lora.Scales()[Layer]);
        Assert.Equal(1, _lora.Scales()[OtherLayer]);
    }

    [Fact]
    public void Load_AlphaBesideMetadata_RulesOverIt()
    {
        _lora.Load(_lora.WriteWith(
            """{"transformer.lora_alpha": 8}""",
            [.. _lora.Pair(Layer), .. _lora.Pair(OtherLayer), ($"transformer.{Layer}.alpha", tensor(1.0))]));
        Assert.Equal((0.5, 4), (_lora.Scales()[Layer], _lora.Scales()[OtherLayer]));
    }

    [Fact]
    public void Load_AlphaThatIsNoFiniteNumber_IsRefused()
    {
        _lora.Refused("alpha is one number", _lora.Write([.. _lora.Pair(Layer), ($"transformer.{Layer}.alpha", ones(2))]));
        _lora.Refused(
            "alpha is NaN; alpha is a finite number",
            _lora.Write([.. _lora.Pair(Layer), ($"transformer.{Layer}.alpha", tensor(float.NaN))]));
    }

    [Fact]
    public void Load_AlphaOfALayerWithoutUpdate_IsNamed()
    {
        var report = _lora.Load(
            _lora.WriteWith("""{"transformer.r": 2}""", [.. _lora.Pair(Layer), ($"transformer.{OtherLayer}.alpha", tensor(1f))]));
        Assert.Equal((3, 2), (report.FileTensors, report.MatchedTensors));
        Assert.Contains(
            $"alphas of layers that have no update here: transformer.{OtherLayer}.alpha",
            Assert.Single(report.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TwoUpdatesOfOneLayer_AreRefused() => _lora.Refused(
        $"holds two updates of transformer.{Layer}: ",
        _lora.Write(
        [
            .. _lora.Pair(Layer), ($"transformer.{Layer}.lora_A.second.weight", ones(2, _lora.Width)),
            ($"transformer.{Layer}.lora_B.second.weight", ones(_lora.Width, 2)),
        ]));
}
